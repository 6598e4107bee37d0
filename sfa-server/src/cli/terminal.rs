//! What people see: results on stdout, everything else on stderr, bars only on a terminal.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use console::Style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sfa_core::{Progress, Stage};

const STEPS: u64 = 1000;

/// Writes to both streams without tearing the progress bars.
pub(super) struct Terminal {
    bars: Option<MultiProgress>,
}

impl Terminal {
    pub(super) fn new() -> Self {
        Self { bars: std::io::stderr().is_terminal().then(MultiProgress::new) }
    }

    /// Lines of result on stdout. A reader that went away, as `| head` does, is no error.
    pub(super) fn print(&self, text: impl AsRef<str>) {
        self.undisturbed(|| {
            writeln!(std::io::stdout().lock(), "{}", harmless(text.as_ref())).ok();
        });
    }

    /// Lines for people on stderr.
    pub(super) fn note(&self, text: impl AsRef<str>) {
        self.undisturbed(|| {
            writeln!(std::io::stderr().lock(), "{}", harmless(text.as_ref())).ok();
        });
    }

    /// What went wrong, on stderr.
    pub(super) fn fail(&self, text: impl AsRef<str>) {
        let error = Style::new().red().bold().for_stderr().apply_to("error:");
        self.undisturbed(|| {
            writeln!(std::io::stderr().lock(), "{error} {}", harmless(text.as_ref())).ok();
        });
    }

    fn undisturbed(&self, write: impl FnOnce()) {
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// A bar for all files of a batch; hidden where there is one file or no terminal.
    pub(super) fn batch_bar(&self, files: usize) -> ProgressBar {
        match &self.bars {
            Some(bars) if files > 1 => {
                let style = "{prefix:>12.bold} [{bar:30}] {pos}/{len} files  {elapsed} elapsed";
                let bar = bars.add(ProgressBar::new(files as u64));
                bar.set_style(
                    ProgressStyle::with_template(style).expect("a valid template").progress_chars("━╸─"),
                );
                bar.set_prefix("all files");
                bar.enable_steady_tick(Duration::from_millis(500));
                bar
            }
            _ => ProgressBar::hidden(),
        }
    }

    /// A bar for bytes that are fetched or read.
    pub(super) fn transfer_bar(&self, name: &str) -> TransferBar {
        let bar = self.bars.as_ref().map(|bars| {
            let style = "{prefix:>12.cyan} [{bar:30.magenta}] {percent:>3}%  {msg}  \
                         {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
            let bar = bars.add(ProgressBar::new(0));
            bar.set_style(
                ProgressStyle::with_template(style).expect("a valid template").progress_chars("━╸─"),
            );
            bar.set_prefix("starting");
            bar.set_message(harmless(name));
            bar
        });
        TransferBar { bar }
    }

    /// A bar for one file, above the batch's.
    pub(super) fn file_bar(&self, name: &str, audio_secs: Option<f64>) -> FileBar {
        let bar = self.bars.as_ref().map(|bars| {
            let style = "{prefix:>12.cyan} [{bar:30.magenta}] {percent:>3}%  {msg}";
            let bar = bars.insert(0, ProgressBar::new(STEPS));
            bar.set_style(
                ProgressStyle::with_template(style).expect("a valid template").progress_chars("━╸─"),
            );
            bar.set_prefix("starting");
            bar.set_message(harmless(name));
            bar
        });
        FileBar {
            bar,
            name: harmless(name),
            audio_secs,
            started: Instant::now(),
            last: Mutex::new(Instant::now()),
        }
    }
}

/// Shows the progress of one file: stage, percent, speed in times real time, time left.
pub(super) struct FileBar {
    bar: Option<ProgressBar>,
    name: String,
    audio_secs: Option<f64>,
    started: Instant,
    last: Mutex<Instant>,
}

impl FileBar {
    pub(super) fn show(&self, progress: Progress) {
        const REDRAW: Duration = Duration::from_millis(80);
        let (Some(bar), Some(fraction)) = (&self.bar, progress.fraction()) else { return };
        let Ok(mut last) = self.last.try_lock() else { return };
        if last.elapsed() < REDRAW && fraction < 1.0 {
            return;
        }
        *last = Instant::now();
        let elapsed_secs = self.started.elapsed().as_secs_f64();
        let mut message = self.name.clone();
        if fraction > 0.01 && elapsed_secs > 0.3 {
            if let Some(audio_secs) = self.audio_secs {
                message += &format!("  {:.0}x real time", audio_secs * fraction / elapsed_secs);
            }
            message += &format!("  {} left", seconds(elapsed_secs * (1.0 - fraction) / fraction));
        }
        bar.set_prefix(stage_word(progress.stage));
        bar.set_position((fraction * STEPS as f64) as u64);
        bar.set_message(message);
    }
}

impl Drop for FileBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Shows bytes: how many, how fast, time left.
pub(super) struct TransferBar {
    bar: Option<ProgressBar>,
}

impl TransferBar {
    pub(super) fn show(&self, progress: Progress) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(stage_word(progress.stage));
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        }
    }
}

impl Drop for TransferBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Decode => "decoding",
        Stage::Separate => "separating",
        Stage::Analyze => "analysing",
        Stage::Warp => "warping",
        Stage::Encode => "writing",
        Stage::Export => "exporting",
        Stage::Download => "fetching",
        Stage::Check => "checking",
        _ => "working",
    }
}

/// Text without control characters: those in a tag or a file name could move the cursor or clear the screen.
fn harmless(text: &str) -> String {
    text.chars().filter(|&character| matches!(character, '\n' | '\t') || !character.is_control()).collect()
}

/// Minutes and seconds as a player shows them.
pub(super) fn clock(secs: f64) -> String {
    let whole = secs.max(0.0) as u64;
    if whole >= 3600 {
        format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
    } else {
        format!("{}:{:02}", whole / 60, whole % 60)
    }
}

fn seconds(secs: f64) -> String {
    if secs < 60.0 { format!("{secs:.0} s") } else { clock(secs) }
}
