//! The command line: arguments in, calls to [`sfa_core::Studio`], lines and exit codes out.

mod admin;
mod analyze;
mod backup;
mod batch;
mod config;
mod demo;
mod doctor;
mod engines;
mod inputs;
mod jobs;
mod library;
mod log;
mod models;
mod nightly;
mod open_files;
mod options;
mod plot;
mod probe;
mod process;
mod separate;
mod serve;
mod step;
mod terminal;
mod transcribe;
mod vault;
mod warp;
mod worker;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use sfa_core::{Error, ErrorKind, Studio, Watch};

use terminal::Terminal;

/// Turns songs into stems, analysis, cues and files for the DJ tools you own. Offline, from one binary.
#[derive(Debug, Parser)]
#[command(name = "sfa", version, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// When to colour the output
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    color: ColorChoice,
}

const EXAMPLES: &str = "\
Examples:
  sfa demo                                   write a demo song to try things on
  sfa process ~/Music/set --out ~/Studio     stems, analysis, cues, rekordbox.xml, report for every song
  sfa separate song.mp3 --out stems --format flac --bit-depth 24
  sfa analyze song.mp3 --report song.html    tempo, key, loudness, form; and a picture of them
  sfa transcribe bass.wav --kind bass -o bass.mid
  sfa analyze *.flac --json | jq .analysis.rhythm.tempo.bpm

Exit codes: 0 all went well, 1 some files failed, 2 wrong usage, 130 stopped by Ctrl-C.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make everything of each song: stems, analysis, cues, rekordbox.xml, MIDI, labels, report
    Process(process::Arguments),
    /// Split songs into stems
    Separate(separate::Arguments),
    /// Measure tempo, beats, key, loudness, energy and form
    Analyze(analyze::Arguments),
    /// Draw a song: waveform, spectra, harmony, tempo, structure, loudness
    Plot(plot::Arguments),
    /// Change the tempo or the pitch of a song
    Warp(warp::Arguments),
    /// Write down the notes of a stem as a MIDI file
    Transcribe(transcribe::Arguments),
    /// Say what is in a file: container, codec, exact length, tags, damage
    Probe(probe::Arguments),
    /// List the separation engines and what to expect of them
    Engines(engines::Arguments),
    /// Keep the weights of neural engines: fetch, import, check and remove them
    Models(models::Arguments),
    /// Keep songs in a library: add, list, show, remove, check
    Library(library::Arguments),
    /// See and steer the work of the library
    Jobs(jobs::Arguments),
    /// Do the work of the library, on this machine
    Worker(worker::Arguments),
    /// Open the library to the network: an API over HTTP
    Serve(Box<serve::Arguments>),
    /// Change accounts of the library, from the machine itself
    Admin(admin::Arguments),
    /// Look after the secrets that users have given the library to keep
    Vault(vault::Arguments),
    /// Copy a whole library into a folder, while it is in use
    Backup(backup::BackupArguments),
    /// Bring a library back from such a folder
    Restore(backup::RestoreArguments),
    /// Say what is well and what is not, and how to mend it
    Doctor(doctor::Arguments),
    /// Print the document about the API of `sfa serve`, in OpenAPI 3.1
    Openapi {
        /// That about the older dialects, which clients of earlier programs speak
        #[arg(long)]
        legacy: bool,
    },
    /// Do one step of work for a worker, which asks on standard input
    #[command(name = step::NAME, hide = true)]
    Step,
    /// Write a demo song, synthesised here and free for any use
    Demo(demo::Arguments),
    /// Print the completion script for a shell, for example: sfa completions zsh > _sfa
    Completions {
        /// The shell to complete in
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColorChoice {
    /// On a terminal only
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Success,
    SomeFailed,
    Usage,
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::SomeFailed => 1,
            Exit::Usage => 2,
            Exit::Interrupted => 130,
        })
    }
}

/// What every command works with.
struct Context {
    studio: Studio,
    terminal: Terminal,
    watch: Watch,
}

impl Context {
    /// Says why a command that writes one file wrote none, and how it ends.
    fn ended_without_file(&self, error: &Error) -> Exit {
        if error.is_cancelled() {
            self.terminal.note("stopped; nothing was written");
            return Exit::Interrupted;
        }
        self.terminal.fail(error.to_string());
        if error.kind() == ErrorKind::InvalidOption { Exit::Usage } else { Exit::SomeFailed }
    }
}

pub(crate) fn run() -> ExitCode {
    let matches = config::read(Arguments::command(), std::env::args_os().collect());
    let matches = matches.unwrap_or_else(|error| error.exit());
    let arguments = Arguments::from_arg_matches(&matches)
        .unwrap_or_else(|error| error.format(&mut Arguments::command()).exit());
    match arguments.color {
        ColorChoice::Auto => {}
        choice => {
            console::set_colors_enabled(choice == ColorChoice::Always);
            console::set_colors_enabled_stderr(choice == ColorChoice::Always);
        }
    }
    let context = Context { studio: Studio::new(), terminal: Terminal::new(), watch: Watch::new() };
    stop_on_ctrl_c(&context.watch);
    let outcome = match arguments.command {
        Command::Process(arguments) => process::run(&context, &arguments),
        Command::Separate(arguments) => separate::run(&context, &arguments),
        Command::Analyze(arguments) => analyze::run(&context, &arguments),
        Command::Plot(arguments) => plot::run(&context, &arguments),
        Command::Warp(arguments) => warp::run(&context, &arguments),
        Command::Transcribe(arguments) => transcribe::run(&context, &arguments),
        Command::Probe(arguments) => probe::run(&context, &arguments),
        Command::Engines(arguments) => Ok(engines::run(&context, &arguments)),
        Command::Models(arguments) => models::run(&context, &arguments),
        Command::Library(arguments) => library::run(&context, &arguments),
        Command::Jobs(arguments) => jobs::run(&context, &arguments),
        Command::Worker(arguments) => worker::run(&context, &arguments),
        Command::Serve(arguments) => serve::run(&context, &arguments),
        Command::Admin(arguments) => admin::run(&context, &arguments),
        Command::Vault(arguments) => vault::run(&context, &arguments),
        Command::Backup(arguments) => backup::back_up(&context, &arguments),
        Command::Restore(arguments) => backup::restore(&context, &arguments),
        Command::Doctor(arguments) => doctor::run(&context, &arguments),
        Command::Openapi { legacy } => {
            use sfa_server::http::{legacy_openapi, openapi};
            context.terminal.print(if legacy { legacy_openapi() } else { openapi() });
            Ok(Exit::Success)
        }
        Command::Step => step::run(&context),
        Command::Demo(arguments) => demo::run(&context, &arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "sfa", &mut script);
            context.terminal.print(String::from_utf8_lossy(&script).trim_end());
            Ok(Exit::Success)
        }
    };
    outcome.unwrap_or_else(|exit| exit).into()
}

/// The first Ctrl-C asks the work to stop and clean up; the second ends the process at once.
fn stop_on_ctrl_c(watch: &Watch) {
    let watch = watch.clone();
    let handler = move || {
        if watch.is_stopped() {
            std::process::exit(130);
        }
        watch.stop();
    };
    ctrlc::set_handler(handler).expect("this is the only handler");
}
