//! Where the values of options come from: from flags, else from the environment, else from a file.
//!
//! An option is declared once, as a flag. What has a variable as well can stand in the file under the flag's name, so
//! that there is no other list of what can be configured; the table in `docs/deploy.md` is made from the same.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use sfa_core::library::LibraryConfig;
use toml::{Table, Value};

/// Read from the data folder where no other file is named.
const FILE: &str = "sfa.toml";
/// The option that names another.
const CONFIG: &str = "config";
/// The option that says where the data folder is.
const DATA: &str = "data";

/// Reads a command line, and what it leaves open from the environment and a file.
///
/// # Errors
/// With the name of the value that is wrong, where it is from, and what it should be.
pub(super) fn read(command: Command, given: Vec<OsString>) -> Result<ArgMatches, clap::Error> {
    let command = with_careful_variables(command);
    let parse = |words: &[OsString]| command.clone().try_get_matches_from(words);
    let mut source = Source { given: &given, command: &command, file: None };
    let (first, missing) = match parse(&given) {
        Ok(matches) => (matches, None),
        // It may be in the file.
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => {
            let tolerant = command.clone().ignore_errors(true).try_get_matches_from(&given);
            let Ok(matches) = tolerant else { return Err(error) };
            (matches, Some(error))
        }
        Err(error) => return Err(source.explained(error)),
    };
    let flags = match first.subcommand_name().and_then(|name| command.find_subcommand(name)) {
        Some(chosen) if chosen.get_arguments().any(|arg| arg.get_id() == CONFIG) => {
            source.flags_from_file(chosen, &first)?
        }
        _ => Vec::new(),
    };
    if flags.is_empty() {
        return missing.map_or(Ok(first), Err);
    }
    // After the name of the command, so that whatever follows `--` stays at the end.
    let is_name = |word: &OsString| first.subcommand_name().is_some_and(|name| *word == *name);
    let place = given.iter().position(is_name).map_or(given.len(), |at| at + 1);
    let mut words = given.clone();
    words.splice(place..place, flags);
    parse(&words).map_err(|error| source.explained(error))
}

/// An empty variable says nothing, as in a compose file where `${SFA_PUBLIC_URL:-}` is not set. And what a variable
/// says, which may be a password, is not shown by `--help`.
fn with_careful_variables(command: Command) -> Command {
    let is_empty = |arg: &Arg| {
        let value = arg.get_env().and_then(std::env::var_os);
        value.is_some_and(|value| value.is_empty())
    };
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg.hide_env_values(true) })
        .mut_subcommands(with_careful_variables)
}

/// What the file says, and where it is. Every key has to be an option of some command.
fn settings(command: &Command, matches: &ArgMatches) -> Result<Option<(PathBuf, Table)>, clap::Error> {
    let named = matches.get_one::<PathBuf>(CONFIG).cloned();
    let is_named = named.is_some();
    let path = match named {
        Some(path) => path,
        None => match matches.get_one::<PathBuf>(DATA).cloned().or_else(default_folder) {
            Some(folder) => folder.join(FILE),
            None => return Ok(None),
        },
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_named => return Ok(None),
        Err(error) => return Err(failed(format!("{}: {error}", path.display()))),
    };
    let settings: Table =
        text.parse().map_err(|error: toml::de::Error| failed(format!("{}: {error}", path.display())))?;
    let mut known: Vec<String> =
        command.get_subcommands().flat_map(Command::get_arguments).filter_map(key_of).collect();
    known.sort_unstable();
    known.dedup();
    for key in settings.keys() {
        if !known.contains(key) {
            let message =
                format!("{}: there is no option {key:?}; there are {}", path.display(), known.join(", "));
            return Err(failed(message));
        }
        if key == DATA && !is_named {
            let message =
                format!("{}: a file in the data folder cannot say that this is elsewhere", path.display());
            return Err(failed(message));
        }
    }
    Ok(Some((path, settings)))
}

fn default_folder() -> Option<PathBuf> {
    // What is wrong with it is told by who opens the library.
    LibraryConfig::default_place().ok().map(|config| config.folder)
}

/// What an option is called in the file, if it can be there.
fn key_of(arg: &Arg) -> Option<String> {
    let long = arg.get_long().filter(|long| *long != CONFIG)?;
    arg.get_env().map(|_| long.replace('-', "_"))
}

/// The flag that says the same as a value in the file.
fn flag(arg: &Arg, value: &Value) -> Result<Option<OsString>, String> {
    let long = arg.get_long().unwrap_or_default();
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return match value {
            Value::Boolean(is_on) => Ok(is_on.then(|| format!("--{long}").into())),
            _ => Err("it is true or false".to_owned()),
        };
    }
    let text = text(value).ok_or("it is a text, a whole number, or a list of these")?;
    Ok(Some(format!("--{long}={text}").into()))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(text).collect();
            items.map(|items| items.join(","))
        }
        _ => None,
    }
}

/// Where values are from.
struct Source<'a> {
    given: &'a [OsString],
    command: &'a Command,
    /// The file, and the flags whose values are from it.
    file: Option<(PathBuf, Vec<String>)>,
}

impl Source<'_> {
    /// The flags that say what the file says and nobody else.
    fn flags_from_file(
        &mut self,
        chosen: &Command,
        first: &ArgMatches,
    ) -> Result<Vec<OsString>, clap::Error> {
        let mut matches = first;
        while let Some((_, inner)) = matches.subcommand() {
            matches = inner;
        }
        let Some((path, settings)) = settings(self.command, matches)? else { return Ok(Vec::new()) };
        let (mut flags, mut longs) = (Vec::new(), Vec::new());
        for (key, value) in &settings {
            let Some(arg) = chosen.get_arguments().find(|arg| key_of(arg).as_ref() == Some(key)) else {
                continue;
            };
            let source = matches.value_source(arg.get_id().as_str());
            if !matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
                flags.extend(flag(arg, value).map_err(|reason| wrong_in(&path, key, &reason, arg))?);
                longs.extend(arg.get_long().map(ToOwned::to_owned));
            }
        }
        self.file = Some((path, longs));
        Ok(flags)
    }

    /// An error that says where a wrong value is from: the parser knows of flags only.
    fn explained(&self, error: clap::Error) -> clap::Error {
        let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else { return error };
        let long = shown.trim_start_matches('-').split([' ', '=', '[']).next().unwrap_or_default();
        let mut all = self.command.get_subcommands().flat_map(Command::get_arguments);
        let Some(arg) = all.find(|arg| arg.get_long() == Some(long) && key_of(arg).is_some()) else {
            return error;
        };
        let reason = match (std::error::Error::source(&error), error.get(ContextKind::ValidValue)) {
            (Some(reason), _) => reason.to_string(),
            (None, Some(ContextValue::Strings(possible))) => format!("it is one of {}", possible.join(", ")),
            _ => error.kind().to_string(),
        };
        match &self.file {
            Some((path, longs)) if longs.iter().any(|known| known == long) => {
                wrong_in(path, &long.replace('-', "_"), &reason, arg)
            }
            _ if self.is_typed(long) || arg.get_env().and_then(std::env::var_os).is_none() => error,
            _ => {
                let variable = arg.get_env().unwrap_or_default().to_string_lossy();
                failed(format!("{variable} in the environment: {reason}\n  {}", help(arg)))
            }
        }
    }

    fn is_typed(&self, long: &str) -> bool {
        self.given
            .iter()
            .filter_map(|word| word.to_str()?.strip_prefix("--")?.strip_prefix(long))
            .any(|rest| rest.is_empty() || rest.starts_with('='))
    }
}

fn wrong_in(path: &Path, key: &str, reason: &str, arg: &Arg) -> clap::Error {
    failed(format!("{key} in {}: {reason}\n  {}", path.display(), help(arg)))
}

fn failed(message: String) -> clap::Error {
    clap::Error::raw(ErrorKind::ValueValidation, message + "\n")
}

fn help(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/deploy.md");
    const BEGIN: &str =
        "<!-- options: made by `SFA_UPDATE_SNAPSHOTS=1 cargo test --workspace --bin sfa config` -->\n";
    const END: &str = "<!-- end of options -->\n";

    fn command() -> Command {
        crate::cli::Arguments::command()
    }

    /// Every option of a command that can be configured, for people.
    fn table(command: &Command) -> String {
        let mut table =
            String::from("| in the file | in the environment | is | default |\n|---|---|---|---|\n");
        for arg in command.get_arguments() {
            let Some(variable) = arg.get_env() else { continue };
            let key = key_of(arg).map_or_else(|| "–".to_owned(), |key| format!("`{key}`"));
            let mut about = help(arg);
            let possible: Vec<String> =
                arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
            if matches!(arg.get_action(), ArgAction::SetTrue) {
                about += ": `true` or `false`";
            } else if !possible.is_empty() {
                about += &format!(": {}", possible.join(", "));
            }
            let defaults: Vec<String> = arg
                .get_default_values()
                .iter()
                .map(|value| format!("`{}`", value.to_string_lossy()))
                .collect();
            table += &format!(
                "| {key} | `{}` | {} | {} |\n",
                variable.to_string_lossy(),
                about.replace('|', "\\|"),
                if matches!(arg.get_action(), ArgAction::SetTrue) {
                    String::new()
                } else {
                    defaults.join(",")
                }
            );
        }
        table
    }

    #[test]
    fn the_table_in_the_documentation_is_what_the_program_takes() {
        let mut command = command();
        command.build();
        let made = table(command.find_subcommand("serve").unwrap());
        let document = std::fs::read_to_string(DOCUMENT).unwrap();
        let (before, rest) = document.split_once(BEGIN).expect("the table has a beginning");
        let (shown, after) = rest.split_once(END).expect("and an end");
        if std::env::var_os("SFA_UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(DOCUMENT, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
        } else {
            assert!(shown == made, "docs/deploy.md is not what the program takes:\n{made}");
        }
    }

    /// What `sfa serve` listens on and whom it trusts, with this file and these flags.
    fn serve(file: &str, flags: &[&str]) -> Result<(String, Vec<String>), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.toml");
        std::fs::write(&path, file).unwrap();
        let mut words: Vec<OsString> = vec!["sfa".into(), "serve".into(), "--config".into(), path.into()];
        words.extend(flags.iter().map(OsString::from));
        let matches = read(command(), words).map_err(|error| error.to_string())?;
        let (_, serve) = matches.subcommand().unwrap();
        let raw = |id: &str| -> Vec<String> {
            let values = serve.get_raw(id).into_iter().flatten();
            values.map(|value| value.to_string_lossy().into_owned()).collect()
        };
        Ok((raw("listen").join(" "), raw("trusted_proxies")))
    }

    #[test]
    fn flags_win_over_the_file() {
        let file = "listen = \"127.0.0.1:5000\"\ntrusted_proxies = [\"10.0.0.1\", \"10.1.0.0/16\"]\n";
        let (listen, proxies) = serve(file, &[]).unwrap();
        assert_eq!((listen.as_str(), proxies.len()), ("127.0.0.1:5000", 2));
        let (listen, proxies) = serve(file, &["--listen", "127.0.0.1:6000"]).unwrap();
        assert_eq!((listen.as_str(), proxies.len()), ("127.0.0.1:6000", 2));
    }

    #[test]
    fn what_is_wrong_in_the_file_is_told_with_its_name() {
        for (file, said) in [
            ("listne = \"x\"", &["some.toml", "listne", "listen"][..]),
            ("listen = \"everywhere\"", &["listen in ", "some.toml", "socket address", "Listen here"]),
            ("open_registration = \"yes\"", &["open_registration in ", "true or false"]),
            ("max_upload_mb = -1", &["max_upload_mb in "]),
            ("rates = [1, 2]", &["rates in ", "three numbers"]),
            ("log_level = \"loud\"", &["log_level in ", "it is one of", "info"]),
            ("max_upload_mb = { a = 1 }", &["max_upload_mb in ", "whole number"]),
            ("listen = ", &["some.toml", "line 1"]),
        ] {
            let error = serve(file, &[]).unwrap_err();
            for part in said {
                assert!(error.contains(part), "{file}: {error}");
            }
        }
    }
}
