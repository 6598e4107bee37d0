//! Extended M3U playlists in UTF-8.

use std::fmt::Write as _;
use std::path::Path;

use super::one_line;
use crate::song::SongReport;

/// One song of a playlist.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaylistEntry {
    /// Path relative to the playlist; forward slashes work on every system.
    pub path: String,
    /// Performing artist, where known.
    pub artist: Option<String>,
    /// Title to show.
    pub title: String,
    /// Length in seconds.
    pub duration_secs: f64,
}

impl PlaylistEntry {
    /// The song that a report is of, for a playlist that stands in the folder `base`, an absolute path.
    pub fn new(report: &SongReport, base: &Path) -> Self {
        Self {
            path: relative(Path::new(&report.file.path), base),
            artist: report.artist().map(str::to_owned),
            title: report.title().to_owned(),
            duration_secs: report.analysis.duration_secs,
        }
    }
}

/// The way from a folder to a file, with forward slashes; the file's own path where no way leads there, as
/// between two drives.
fn relative(file: &Path, base: &Path) -> String {
    let shared = file.components().zip(base.components()).take_while(|(a, b)| a == b).count();
    if shared == 0 {
        return file.to_string_lossy().into_owned();
    }
    let up = base.components().skip(shared).map(|_| "..".to_owned());
    let down = file.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// A playlist: `.m3u8`.
///
/// A path that holds a line break cannot be written in this format: the break becomes a space.
pub fn m3u8(entries: &[PlaylistEntry]) -> String {
    let mut text = String::from("#EXTM3U\n");
    for entry in entries {
        let title = match entry.artist.as_deref().map(one_line).filter(|artist| !artist.is_empty()) {
            Some(artist) => format!("{artist} - {}", one_line(&entry.title)),
            None => one_line(&entry.title),
        };
        let path = entry.path.replace(['\r', '\n'], " ");
        // A line that starts with "#" is a comment to every reader.
        let prefix = if path.starts_with('#') { "./" } else { "" };
        let _ = write!(text, "#EXTINF:{:.0},{title}\n{prefix}{path}\n", entry.duration_secs.max(0.0));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_from_the_playlist_to_the_song() {
        let check = |file: &str, base: &str, expected: &str| {
            assert_eq!(relative(Path::new(file), Path::new(base)), expected, "{file} from {base}");
        };
        check("/music/set/a.mp3", "/music/out", "../set/a.mp3");
        check("/music/a.mp3", "/music", "a.mp3");
        check("/music/out/deep/a.mp3", "/music/out", "deep/a.mp3");
    }
}
