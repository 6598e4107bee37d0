//! The most likely path through pitch bins, voiced and unvoiced.

/// The fastest a pitch may move, in octaves per second.
const MAX_RATE: f64 = 35.92;
const BINS_PER_SEMITONE: usize = 10;
/// How likely a frame is to change between voiced and unvoiced.
const SWITCH_PROBABILITY: f64 = 0.01;
/// Frames that a decision waits for what follows: with a hop of 12 ms, 48 s. Any shorter signal is decoded as a whole.
const BLOCK_FRAMES: usize = 4096;

/// Viterbi's algorithm over two states per bin, fed frame by frame.
pub(super) struct Decoder {
    bins: usize,
    /// The logarithm of a triangle: how likely a pitch moves by each number of bins, not yet normalised.
    moves: Vec<f64>,
    /// The logarithm of what the moves from each bin add up to.
    norms: Vec<f64>,
    voiced: Vec<f64>,
    unvoiced: Vec<f64>,
    sources: Vec<f64>,
    best: [Best; 2],
    /// One per frame that is not decided, from the second frame of the signal on.
    steps: Vec<Step>,
    has_started: bool,
    decided: Vec<Option<usize>>,
}

/// The best source of each bin within one voicing.
#[derive(Clone, Default)]
struct Best {
    values: Vec<f64>,
    /// Steps down from the bin plus the reach.
    moves: Vec<u8>,
}

/// Where each state came from.
struct Step {
    /// Best moves within voiced and within unvoiced states.
    moves: [Vec<u8>; 2],
    /// For each bin: bit 0 where its voiced state came from an unvoiced one, bit 1 where its unvoiced state did.
    switches: Vec<u8>,
}

impl Decoder {
    pub(super) fn new(bins: usize, frames_per_sec: f64) -> Self {
        let semitones = (MAX_RATE * 12.0 / frames_per_sec).round_ties_even() as usize;
        // A byte holds a move: a hop long enough to need more hears every pitch as new anyway.
        let reach = (semitones * BINS_PER_SEMITONE / 2).min(120);
        let weight = |distance: usize| (reach + 1 - distance) as f64 / (reach + 1) as f64;
        let norms = (0..bins)
            .map(|bin| {
                let targets = bin.saturating_sub(reach)..(bin + reach + 1).min(bins);
                targets.map(|target| weight(target.abs_diff(bin))).sum::<f64>().ln()
            })
            .collect();
        Self {
            bins,
            moves: (0..=2 * reach).map(|n| weight(n.abs_diff(reach)).ln()).collect(),
            norms,
            voiced: vec![0.0; bins],
            unvoiced: vec![0.0; bins],
            sources: vec![0.0; bins],
            best: Default::default(),
            steps: Vec::new(),
            has_started: false,
            decided: Vec::new(),
        }
    }

    fn reach(&self) -> usize {
        self.moves.len() / 2
    }

    /// Takes the candidates of the next frame.
    pub(super) fn step(&mut self, candidates: &[(usize, f64)], voiced_probability: f64) {
        let (stay, change) = ((1.0 - SWITCH_PROBABILITY).ln(), SWITCH_PROBABILITY.ln());
        if self.has_started {
            self.find_best(0);
            self.find_best(1);
            let mut switches = vec![0; self.bins];
            for (bin, switch) in switches.iter_mut().enumerate() {
                let [from_voiced, from_unvoiced] = [self.best[0].values[bin], self.best[1].values[bin]];
                let (kept, taken) = (from_voiced + stay, from_unvoiced + change);
                let (left, held) = (from_voiced + change, from_unvoiced + stay);
                *switch = u8::from(taken > kept) | u8::from(held > left) << 1;
                self.voiced[bin] = kept.max(taken);
                self.unvoiced[bin] = left.max(held);
            }
            let moves = [self.best[0].moves.clone(), self.best[1].moves.clone()];
            self.steps.push(Step { moves, switches });
        }
        self.has_started = true;
        let unheard = f64::MIN_POSITIVE.ln();
        let unvoiced = ((1.0 - voiced_probability) / self.bins as f64 + f64::MIN_POSITIVE).ln();
        self.voiced.iter_mut().for_each(|value| *value += unheard);
        self.unvoiced.iter_mut().for_each(|value| *value += unvoiced);
        for &(bin, probability) in candidates {
            self.voiced[bin] += (probability + f64::MIN_POSITIVE).ln() - unheard;
        }
        if self.steps.len() == 2 * BLOCK_FRAMES {
            self.decide(BLOCK_FRAMES);
        }
    }

    /// The bin of every frame, `None` where it is unvoiced.
    pub(super) fn finish(mut self) -> Vec<Option<usize>> {
        if self.has_started {
            let all = self.steps.len();
            self.decide(all);
            let (bin, is_voiced) = self.leader();
            self.decided.push(is_voiced.then_some(bin));
        }
        self.decided
    }

    /// For each bin the best of all bins near it.
    fn find_best(&mut self, voicing: usize) {
        let reach = self.reach();
        let values = if voicing == 0 { &self.voiced } else { &self.unvoiced };
        for ((source, value), norm) in self.sources.iter_mut().zip(values).zip(&self.norms) {
            *source = value - norm;
        }
        let best = &mut self.best[voicing];
        best.values.clear();
        best.values.resize(self.bins, f64::NEG_INFINITY);
        best.moves.clear();
        best.moves.resize(self.bins, reach as u8);
        // By rising source, so that of equals the lowest stays.
        for down in (0..=2 * reach).rev() {
            let weight = self.moves[down];
            let first_target = down.saturating_sub(reach);
            let first_source = reach.saturating_sub(down);
            let targets = best.values.iter_mut().zip(&mut best.moves).skip(first_target);
            for ((value, choice), source) in targets.zip(&self.sources[first_source.min(self.bins)..]) {
                let total = source + weight;
                let is_better = total > *value;
                *value = if is_better { total } else { *value };
                *choice = if is_better { down as u8 } else { *choice };
            }
        }
    }

    /// The best state now: its bin, and whether it is voiced.
    fn leader(&self) -> (usize, bool) {
        let top = |values: &[f64]| {
            (1..values.len()).fold(0, |best, n| if values[n] > values[best] { n } else { best })
        };
        let (voiced, unvoiced) = (top(&self.voiced), top(&self.unvoiced));
        if self.unvoiced[unvoiced] > self.voiced[voiced] { (unvoiced, false) } else { (voiced, true) }
    }

    /// Decides the frames before the first `count` steps, looking back from now.
    fn decide(&mut self, count: usize) {
        let reach = self.reach();
        let (mut bin, mut is_voiced) = self.leader();
        let mut states = Vec::with_capacity(self.steps.len());
        for step in self.steps.iter().rev() {
            let from_unvoiced = step.switches[bin] & if is_voiced { 1 } else { 2 } != 0;
            let down = usize::from(step.moves[usize::from(from_unvoiced)][bin]);
            bin = bin + reach - down;
            is_voiced = !from_unvoiced;
            states.push(is_voiced.then_some(bin));
        }
        self.decided.extend(states.iter().rev().take(count));
        self.steps.drain(..count);
        // Only differences matter.
        let level = self.voiced.iter().chain(&self.unvoiced).copied().fold(f64::NEG_INFINITY, f64::max);
        self.voiced.iter_mut().chain(&mut self.unvoiced).for_each(|value| *value -= level);
    }
}
