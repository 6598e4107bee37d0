//! The mixing desk: parts through their channel strips into stems, stems through one limiter into the mix.

mod master;
mod perform;
mod space;

use sfa_audio::StemKind;

use super::arrange::Plan;
use super::score::Score;
use super::style::DemoStyle;
use super::voice::Stereo;
use super::voice::drums::Drum;
use super::voice::filter::{StateVariable, saturate};
use perform::Performance;
use space::{Room, ping_pong};

/// What a part goes through on its way to its stem.
#[derive(Debug, Clone, Copy)]
struct Strip {
    gain_db: f32,
    high_pass_hz: f32,
    /// Gain into the soft clipping of the strip; 0 leaves it out.
    drive: f32,
    /// How much of the style's pumping reaches this part, `0.0..=1.0`.
    ducked: f32,
    /// Level of the part in its stem's room.
    reverb: f32,
    /// Level of its echoes.
    echo: f32,
}

/// A part's player and strip.
type Channel<'a> = (Strip, fn(&Performance<'a>, &mut Stereo));

/// Plays and mixes a song. The stems come in the order drums, bass, other, vocals; their sum, in this order and
/// in `f32`, is the mix.
pub(crate) fn render(plan: &Plan, score: &Score) -> (Stereo, Vec<(StemKind, Stereo)>) {
    let rate_hz = plan.options.sample_rate_hz as f32;
    let performance = Performance { plan, score, rate_hz };
    let ducking = ducking_curve(plan, score);
    let mut stems: Vec<(StemKind, Stereo)> = desk(plan.options.style)
        .into_iter()
        .map(|(kind, channels)| (kind, stem(kind, &channels, &performance, &ducking)))
        .collect();
    let mut mix = sum(&stems);
    let gains = master::gain_curve(
        &mix,
        stems.iter().map(|(_, stem)| stem),
        plan.sheet.loudness_lufs,
        f64::from(plan.options.sample_rate_hz),
    );
    for (_, stem) in &mut stems {
        master::apply(stem, &gains);
        fade_end(stem, rate_hz);
    }
    mix = sum(&stems);
    (mix, stems)
}

/// Levels and effects of every part, found by measuring band balance and loudness against released music.
fn desk<'a>(style: DemoStyle) -> Vec<(StemKind, Vec<Channel<'a>>)> {
    let strip = |gain_db, high_pass_hz, drive, ducked, reverb, echo| Strip {
        gain_db,
        high_pass_hz,
        drive,
        ducked,
        reverb,
        echo,
    };
    // A level that only this style wants, in dB.
    let trim = |trims: &[(DemoStyle, f32)]| {
        trims.iter().find(|(wanted, _)| *wanted == style).map_or(0.0, |(_, trim_db)| *trim_db)
    };
    use DemoStyle::{Ambient, DrumAndBass, HipHop, Rock, Waltz};
    let kick_db = trim(&[(Waltz, -2.0), (HipHop, 1.0)]);
    let kit_db = trim(&[(Waltz, -2.0), (Rock, 1.0), (DrumAndBass, -1.0)]);
    let bass_db = trim(&[(Waltz, 1.0), (HipHop, -6.0), (DrumAndBass, -3.0), (Rock, -1.0), (Ambient, -6.0)]);
    let pad_db = trim(&[(Rock, -6.0), (HipHop, -2.0), (Ambient, 4.0)]);
    let keys_db = trim(&[(HipHop, -3.0), (Waltz, -4.0), (Rock, -7.5), (Ambient, -4.0)]);
    let arp_db = trim(&[(HipHop, 5.0), (Waltz, 4.0), (Rock, 4.0), (Ambient, 7.0)]);
    let lead_db = trim(&[(HipHop, -5.0), (Waltz, -0.5)]);
    vec![
        (
            StemKind::Drums,
            vec![
                (strip(-3.5 + kick_db, 24.0, 0.0, 0.0, 0.01, 0.0), Performance::kick),
                (strip(5.5 + kit_db, 60.0, 0.0, 0.0, 0.09, 0.0), Performance::kit),
            ],
        ),
        (StemKind::Bass, vec![(strip(1.0 + bass_db, 26.0, 1.3, 0.8, 0.0, 0.0), Performance::bass)]),
        (
            StemKind::Other,
            vec![
                (strip(-9.0 + pad_db, 130.0, 0.0, 1.0, 0.3, 0.0), Performance::pad),
                (strip(-4.0 + keys_db, 110.0, 1.2, 0.6, 0.22, 0.12), Performance::keys),
                (strip(-5.5 + arp_db, 180.0, 0.0, 0.4, 0.25, 0.35), Performance::arp),
                (strip(-3.5 + lead_db, 160.0, 0.0, 0.3, 0.22, 0.3), Performance::lead),
                (strip(-6.0, 28.0, 0.0, 0.3, 0.25, 0.0), Performance::transitions),
            ],
        ),
        (StemKind::Vocals, vec![(strip(-13.5, 120.0, 1.0, 0.15, 0.3, 0.22), Performance::vocal)]),
    ]
}

/// Plays the channels of one stem and its room.
fn stem<'a>(
    kind: StemKind,
    channels: &[Channel<'a>],
    performance: &Performance<'a>,
    ducking: &[f32],
) -> Stereo {
    let (plan, rate_hz) = (performance.plan, performance.rate_hz);
    let mut dry = Stereo::silence(plan.frames());
    let mut room = Stereo::silence(plan.frames());
    for (strip, play) in channels {
        let mut part = Stereo::silence(plan.frames());
        play(performance, &mut part);
        for channel in part.channels_mut() {
            let mut high_pass = StateVariable::new(strip.high_pass_hz, 0.707, rate_hz);
            for sample in channel.iter_mut() {
                let driven = if strip.drive > 0.0 { saturate(*sample * strip.drive) } else { *sample };
                *sample = high_pass.process(driven).high;
            }
        }
        if strip.echo > 0.0 {
            // A dotted eighth: the echo that falls between the beats.
            ping_pong(&mut part, plan.secs(0.75) as f32, 0.42, strip.echo, rate_hz);
        }
        let depth = strip.ducked * plan.sheet.pumping;
        if depth > 0.0 {
            for ((left, right), duck) in part.iter_mut().zip(ducking) {
                let gain = 1.0 - depth * duck;
                *left *= gain;
                *right *= gain;
            }
        }
        let gain = 10_f32.powf(strip.gain_db / 20.0);
        dry.add_scaled(&part, gain);
        if strip.reverb > 0.0 {
            room.add_scaled(&part, gain * strip.reverb);
        }
    }
    let (decay_secs, pre_delay_secs, damping_hz) = match (kind, plan.options.style) {
        (StemKind::Drums, _) => (0.7, 0.006, 5500.0),
        (_, DemoStyle::Ambient) => (4.5, 0.03, 4200.0),
        (StemKind::Vocals, _) => (2.2, 0.03, 5000.0),
        _ => (1.9, 0.018, 4500.0),
    };
    Room::new(decay_secs, pre_delay_secs, damping_hz, rate_hz).process(&mut room);
    dry.add_scaled(&room, 1.0);
    dry
}

/// How far instruments make room for the bass drum: 1 on each kick, back to 0 within a beat.
fn ducking_curve(plan: &Plan, score: &Score) -> Vec<f32> {
    let rate_hz = f64::from(plan.options.sample_rate_hz);
    let mut curve = vec![0.0_f32; plan.frames()];
    let attack_frames = (0.004 * rate_hz) as usize;
    let release_frames = (plan.secs(0.8).min(0.4) * rate_hz) as usize;
    for hit in score.drums.iter().filter(|hit| hit.drum == Drum::Kick) {
        let start = plan.frame(hit.beat);
        // The dip begins before the kick, so that its first millisecond is free and nothing clicks.
        for ahead in 0..attack_frames.min(start) {
            let duck = 1.0 - ahead as f32 / attack_frames as f32;
            let frame = start - ahead;
            curve[frame] = curve[frame].max(hit.velocity * duck);
        }
        for (after, duck) in curve[start..].iter_mut().take(release_frames).enumerate() {
            let share = after as f32 / release_frames as f32;
            let fall = 0.5 + 0.5 * (std::f32::consts::PI * share).cos();
            *duck = duck.max(hit.velocity * fall);
        }
    }
    curve
}

fn sum(stems: &[(StemKind, Stereo)]) -> Stereo {
    let mut mix = Stereo::silence(stems.first().map_or(0, |(_, stem)| stem.frames()));
    stems.iter().for_each(|(_, stem)| mix.add_scaled(stem, 1.0));
    mix
}

/// Lets the last reverb die completely.
fn fade_end(stem: &mut Stereo, rate_hz: f32) {
    let frames = (0.8 * rate_hz) as usize;
    for channel in stem.channels_mut() {
        for (left, sample) in channel.iter_mut().rev().take(frames).enumerate() {
            let gain = left as f32 / frames as f32;
            *sample *= gain * gain;
        }
    }
}
