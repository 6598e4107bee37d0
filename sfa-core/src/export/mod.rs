//! What other tools read: pure functions from [`SongReport`](crate::song::SongReport)s to bytes or text.
//!
//! Nothing here opens a file or asks a clock: the same report gives the same bytes.

pub(crate) mod archive;
mod json;
mod labels;
mod midi;
mod pads;
mod playlist;
mod rekordbox;
pub(crate) mod report;
mod serato;
mod stems_zip;
mod traktor;
mod xml;

pub use json::{
    analysis_json, analysis_json_line, analysis_schema, cues_json, cues_schema, stems_json, stems_schema,
};
pub use labels::audacity_labels;
pub use midi::{midi, notes_midi};
pub use playlist::{PlaylistEntry, m3u8};
pub use rekordbox::rekordbox_xml;
pub use report::report_html;
pub use serato::serato_tags;
pub use stems_zip::{StemEntry, stems_zip};
pub use traktor::traktor_nml;

/// One line of text from any text: white space becomes single spaces, control characters go.
fn one_line(text: &str) -> String {
    let visible: String = text.chars().filter(|c| c.is_whitespace() || !c.is_control()).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}
