//! From what was typed to a list of files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use walkdir::WalkDir;

/// Extensions that are taken from folders. A file named on the command line is tried whatever it is called.
const AUDIO_EXTENSIONS: &[&str] = &[
    "aac", "ac3", "aif", "aifc", "aiff", "ape", "au", "caf", "flac", "m4a", "m4b", "mka", "mkv", "mov",
    "mp1", "mp2", "mp3", "mp4", "mpc", "oga", "ogg", "opus", "rf64", "snd", "tta", "w64", "wav", "wave",
    "webm", "wma", "wv",
];

/// Expands files, folders (recursively) and glob patterns, in the order typed, each file once.
///
/// Folders and patterns never yield hidden files nor anything below `output`, so that a second run does not
/// process the stems of the first.
///
/// # Errors
/// A sentence when an argument matches nothing at all.
pub(super) fn expand(arguments: &[PathBuf], output: Option<&Path>) -> Result<Vec<PathBuf>, String> {
    let output = output.and_then(|folder| folder.canonicalize().ok());
    let mut seen = HashSet::new();
    let mut files = Vec::new();
    for argument in arguments {
        let found = if argument.is_dir() {
            let found = walk(argument, output.as_deref(), is_audio);
            if found.is_empty() {
                return Err(format!("{}: no audio files in this folder", argument.display()));
            }
            found
        } else if !argument.exists() && is_pattern(argument) {
            let found = matches(argument, output.as_deref())?;
            if found.is_empty() {
                return Err(format!("{}: no file matches this pattern", argument.display()));
            }
            found
        } else {
            vec![argument.clone()]
        };
        for file in found {
            if seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

fn is_audio(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| AUDIO_EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()))
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '[', '{'])
}

/// Files that match a pattern; `*` stays within one folder, `**` does not.
fn matches(pattern: &Path, output: Option<&Path>) -> Result<Vec<PathBuf>, String> {
    let text = pattern.to_string_lossy();
    let glob = GlobBuilder::new(&text)
        .literal_separator(true)
        .build()
        .map_err(|error| format!("{text}: not a valid pattern: {error}"))?
        .compile_matcher();
    let base: PathBuf = pattern.components().take_while(|part| !is_pattern(part.as_ref())).collect();
    let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
    let as_typed = |path: &Path| path.strip_prefix(".").unwrap_or(path).to_owned();
    Ok(walk(&base, output, |path| glob.is_match(as_typed(path)))
        .into_iter()
        .map(|path| as_typed(&path))
        .collect())
}

/// Files below `folder` that `wanted` accepts, sorted by path.
fn walk(folder: &Path, output: Option<&Path>, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            entry.depth() == 0 || !is_hidden(entry.path()) && !is_same(entry.path(), output)
        })
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() || entry.path_is_symlink() && entry.path().is_file())
        .map(walkdir::DirEntry::into_path)
        .filter(|path| wanted(path))
        .collect()
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn is_same(path: &Path, output: Option<&Path>) -> bool {
    output.is_some() && path.is_dir() && path.canonicalize().ok().as_deref() == output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        }
        folder
    }

    fn names(folder: &Path, found: &[PathBuf]) -> Vec<String> {
        found
            .iter()
            .map(|path| path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/"))
            .collect()
    }

    #[test]
    fn a_folder_gives_its_audio_files_once_and_sorted() {
        let folder = tree(&["b.mp3", "a/x.FLAC", "notes.txt", ".hidden.mp3", "._b.mp3"]);
        let root = folder.path().to_owned();
        let found = expand(&[root.clone(), root.join("b.mp3")], None).unwrap();
        assert_eq!(names(&root, &found), ["a/x.FLAC", "b.mp3"]);
    }

    #[test]
    fn the_output_folder_is_not_an_input() {
        let folder = tree(&["song.mp3", "out/song/stems/drums.wav"]);
        let root = folder.path().to_owned();
        let found = expand(std::slice::from_ref(&root), Some(&root.join("out"))).unwrap();
        assert_eq!(names(&root, &found), ["song.mp3"]);
    }

    #[test]
    fn a_star_stays_within_its_folder() {
        let folder = tree(&["a.wav", "b.wav", "deep/c.wav", "d.mp3"]);
        let root = folder.path().to_owned();
        assert_eq!(names(&root, &expand(&[root.join("*.wav")], None).unwrap()), ["a.wav", "b.wav"]);
        assert_eq!(names(&root, &expand(&[root.join("**/c.wav")], None).unwrap()), ["deep/c.wav"]);
        assert!(expand(&[root.join("*.ogg")], None).unwrap_err().contains("no file matches"));
    }

    #[test]
    fn a_missing_file_is_left_for_its_reader_to_report() {
        assert_eq!(expand(&[PathBuf::from("gone.wav")], None).unwrap(), [PathBuf::from("gone.wav")]);
    }

    #[test]
    fn an_empty_folder_is_said_aloud() {
        let folder = tree(&["readme.txt"]);
        assert!(expand(&[folder.path().to_owned()], None).unwrap_err().contains("no audio files"));
    }
}
