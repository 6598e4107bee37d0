//! Files for other programs.

use super::{Pipeline, Work};
use crate::library::{Change, Step, cue};
use crate::{Error, export};

impl Pipeline {
    pub(super) fn export(&self, work: &Work<'_>) -> Result<Vec<Change>, Error> {
        let (_, mut report) = self.kept_analysis(work, Step::Export)?;
        cue::put_into(&mut report, &self.wait(self.library.rows().cues(work.scope, work.song.id))?);
        let files = vec![
            self.keep_text(Step::Export, "cues.json", export::cues_json(&report))?,
            self.keep_text(Step::Export, "rekordbox.xml", export::rekordbox_xml(&[&report]))?,
            self.keep_text(Step::Export, "sections.mid", export::midi(&report))?,
            self.keep_text(Step::Export, "labels.txt", export::audacity_labels(&report))?,
            self.keep_text(Step::Export, "report.html", export::report_html(&report))?,
        ];
        Ok(vec![Change::ReplaceExports { track: work.song.id, step: Step::Export, files }])
    }
}
