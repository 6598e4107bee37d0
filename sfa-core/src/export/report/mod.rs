//! A song on one page: a picture of everything that was measured, in a single HTML file.
//!
//! The page loads nothing: styles, script and pictures are inside, and its content security policy forbids the
//! rest. Everything but the time cursor and zoom works without the script. All text from tags goes through
//! [`html::escape`].

mod chroma;
mod curves;
pub(crate) mod html;
mod keys;
mod page;
mod sheet;
mod tables;
mod tiles;
mod timeline;
mod waveform;

use crate::song::SongReport;

/// The page of one song: `report.html`, some hundred kilobytes at any length of the song.
///
/// Shows what there is: a song that was only analysed has no stem lanes, one without a pulse no bars.
pub fn report_html(report: &SongReport) -> String {
    page::page(report)
}
