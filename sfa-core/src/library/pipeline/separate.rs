//! Stems.

use super::{Pipeline, Work, as_audio_error, millis};
use crate::library::{Change, LibraryStem, TrackId};
use crate::song::StemSheet;
use crate::{Error, Watch};

impl Pipeline {
    pub(super) fn separate(&self, work: &Work<'_>, watch: &Watch) -> Result<Vec<Change>, Error> {
        let Work { scope, song, settings, force } = *work;
        let options = settings.separate_options().map_err(as_audio_error)?;
        let choice = self.library.studio().choose_engine(&options)?;
        let made = match choice.model {
            Some(model) => format!("{}/{model}", choice.engine),
            None => choice.engine.to_owned(),
        };
        let there = self.wait(self.library.rows().stems(scope, song.id))?;
        let extension = format!(".{}", settings.stem_format);
        let is_as_asked = |stem: &LibraryStem| stem.engine == made && stem.file_name.ends_with(&extension);
        if !force && there.iter().any(is_as_asked) {
            return Ok(Vec::new());
        }
        let (sheet, stems) = self.on_a_desk(song, |file, desk| {
            let separated = self.library.crew().separate(file, &desk.join("stems"), settings, watch)?;
            let stems = separated
                .sheet
                .stems
                .iter()
                .map(|stem| {
                    Ok(LibraryStem {
                        kind: stem.kind.to_string(),
                        engine: made.clone(),
                        take: String::new(),
                        file_name: stem.file.clone(),
                        blob: self.keep(&separated.folder.join(&stem.file))?,
                        peak_dbfs: stem.peak_dbfs,
                        rms_dbfs: stem.rms_dbfs,
                    })
                })
                .collect::<Result<Vec<_>, Error>>()?;
            Ok((separated.sheet, stems))
        })?;
        let mut changes = vec![Change::ReplaceStems { track: song.id, engine: made, stems }];
        changes.extend(duration(song.id, &sheet));
        Ok(changes)
    }
}

fn duration(track: TrackId, sheet: &StemSheet) -> Option<Change> {
    let secs = sheet.file.frames as f64 / f64::from(sheet.file.sample_rate_hz);
    millis(secs).filter(|&duration| duration > 0).map(|duration| Change::SetDuration(track, duration))
}
