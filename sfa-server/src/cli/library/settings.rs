//! `sfa library settings`: what is done to new songs, and how.

use clap::Subcommand;
use serde_json::{Value, json};
use sfa_core::library::{Library, LibraryError, LibraryErrorKind, Scope, Settings};

use super::super::{Context, Exit};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Print all settings
    Show {
        /// Print JSON on stdout
        #[arg(long)]
        json: bool,
    },
    /// Change some; `sfa library settings show` has their names
    Set {
        /// For example stem_format=wav, steps=separate,analyze, stems=karaoke, most_cues=8, or any JSON
        #[arg(value_name = "NAME=VALUE", required = true)]
        changes: Vec<String>,
    },
    /// Go back to the defaults: of all settings, or of those named
    Reset {
        /// The settings' names
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

pub(super) async fn run(
    context: &Context,
    library: &Library,
    action: Option<&Action>,
) -> Result<Exit, LibraryError> {
    let scope = Scope::LOCAL;
    match action {
        None => show(context, &library.settings(scope).await?, false),
        Some(Action::Show { json }) => show(context, &library.settings(scope).await?, *json),
        Some(Action::Set { changes }) => {
            let mut settings = library.settings(scope).await?;
            for change in changes {
                let (name, text) = change.split_once('=').ok_or_else(|| {
                    let message = format!("{change:?} is not of the form NAME=VALUE");
                    LibraryError::new(LibraryErrorKind::Invalid, message)
                })?;
                settings = settings.with(name, value(&settings, name, text))?;
            }
            library.set_settings(scope, &settings).await?;
        }
        Some(Action::Reset { names }) if names.is_empty() => library.reset_settings(scope).await?,
        Some(Action::Reset { names }) => {
            let defaults = document(&Settings::default());
            let mut settings = library.settings(scope).await?;
            for name in names {
                settings = settings.with(name, defaults.get(name).cloned().unwrap_or(Value::Null))?;
            }
            library.set_settings(scope, &settings).await?;
        }
    }
    Ok(Exit::Success)
}

fn show(context: &Context, settings: &Settings, as_json: bool) {
    let document = document(settings);
    if as_json {
        context.terminal.print(serde_json::to_string_pretty(&document).expect("settings are plain data"));
        return;
    }
    for (name, value) in document.as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
            }
            value => value.to_string(),
        };
        context.terminal.print(format!("{name}={text}"));
    }
}

fn document(settings: &Settings) -> Value {
    serde_json::to_value(settings).expect("settings are plain data")
}

/// What a user means by `text`: JSON, a list where the setting is one, or a word.
fn value(settings: &Settings, name: &str, text: &str) -> Value {
    let is_list = document(settings)[name].is_array();
    let words = || text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value.is_array() || !is_list => value,
        _ if is_list => json!(words()),
        _ if name == "bpm_range" => {
            let ends: Vec<f64> = text.split('-').filter_map(|end| end.trim().parse().ok()).collect();
            json!(ends)
        }
        _ if name == "stems" => match text {
            "all" => json!("all"),
            "karaoke" => json!({"only": ["no_vocals"]}),
            _ => json!({"only": words()}),
        },
        _ => json!(text),
    }
}
