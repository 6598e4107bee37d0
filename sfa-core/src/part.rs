//! A download on its way: the bytes so far, and what is needed to go on later.
//!
//! It is the one file that outlives a stop on purpose: `NAME.part` beside the finished files, with `NAME.part.json`
//! telling where the bytes came from. Finishing the download or removing the model removes both.

use std::fs::{self, File};
use std::io::{ErrorKind as IoErrorKind, Write};
use std::path::{Path, PathBuf};

use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::folder::{read_json, write_whole};
use crate::{Error, ErrorKind, Result};

/// Where the bytes so far came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    url: String,
    /// The server's own mark of the file's version, by which it tells whether it still has the same.
    validator: String,
}

/// The begun download of one file. Who opens it makes sure that nobody else does.
#[derive(Debug)]
pub(crate) struct Part {
    path: PathBuf,
    file: File,
    bytes: u64,
    origin: Option<Origin>,
}

/// What an answer means for the bytes that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It brings the whole file.
    Whole,
    /// It brings what is missing.
    Rest,
    /// Nothing is missing.
    Nothing,
    /// It cannot be gone on with these bytes: ask again without them.
    Another,
    /// It brings no file.
    Refused(StatusCode),
}

/// The names under which the download of `name` is kept.
pub(crate) fn part_names(name: &str) -> [String; 2] {
    [format!("{name}.part"), format!("{name}.part.json")]
}

impl Part {
    /// Goes on with the download of `name` into `folder`, or begins it.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn open(folder: &Path, name: &str) -> Result<Self> {
        let [part, origin] = part_names(name);
        let path = folder.join(part);
        let failed = |error| Error::io(&path, error);
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        Ok(Self { origin: read_json(&folder.join(origin)), path, file, bytes })
    }

    /// Bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What to ask the server at `url` by for the rest; `None` where these bytes cannot be gone on with.
    pub(crate) fn validator(&self, url: &str) -> Option<&str> {
        let origin = self.origin.as_ref().filter(|origin| self.bytes > 0 && origin.url == url)?;
        Some(&origin.validator)
    }

    /// Asks the server at `url` for what is missing, or for everything where these bytes cannot be gone on with.
    pub(crate) fn ask(&self, url: &str, request: RequestBuilder) -> RequestBuilder {
        // Of a compressed file no part can be asked for.
        let request = request.header(ACCEPT_ENCODING, "identity");
        match self.mark(url) {
            Some(mark) => request.header(RANGE, format!("bytes={}-", self.bytes)).header(IF_RANGE, mark),
            None => request,
        }
    }

    /// What the answer to [`ask`](Self::ask) brings.
    pub(crate) fn read(&self, url: &str, response: &Response) -> Answer {
        let (status, headers) = (response.status(), response.headers());
        match (status, self.mark(url)) {
            (StatusCode::OK, _) => Answer::Whole,
            (StatusCode::PARTIAL_CONTENT, Some(mark)) if self.goes_on(headers, &mark) => Answer::Rest,
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) if self.is_all(headers) => Answer::Nothing,
            (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => Answer::Another,
            _ => Answer::Refused(status),
        }
    }

    fn mark(&self, url: &str) -> Option<HeaderValue> {
        self.validator(url).and_then(|text| HeaderValue::try_from(text).ok())
    }

    /// Whether an answer brings exactly what is missing of the version that these bytes are of.
    fn goes_on(&self, headers: &HeaderMap, mark: &HeaderValue) -> bool {
        let same_version = match headers.get(ETAG) {
            Some(etag) if mark.as_bytes().ends_with(b"\"") => etag == mark,
            _ => true,
        };
        let start = text(headers, CONTENT_RANGE).and_then(|range| {
            let (start, _) = range.strip_prefix("bytes ")?.split_once('-')?;
            start.parse().ok()
        });
        same_version && start == Some(self.bytes)
    }

    /// Whether a server that has nothing to add says that the file is as long as these bytes.
    fn is_all(&self, headers: &HeaderMap) -> bool {
        let total =
            text(headers, CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes */")?.parse().ok());
        total == Some(self.bytes)
    }

    /// Throws away the bytes so far; those to come are from `url` and, where the server says so, of the version
    /// `validator`.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn restart(&mut self, url: &str, validator: Option<String>) -> Result<()> {
        self.file.set_len(0).map_err(|error| Error::io(&self.path, error))?;
        self.bytes = 0;
        self.origin = validator.map(|validator| Origin { url: url.to_owned(), validator });
        match &self.origin {
            Some(origin) => write_whole(&self.origin_path(), serde_json::to_vec(origin).expect("plain data")),
            None => remove(&self.origin_path()),
        }
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// `Io`; what was written before stays.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| self.write_error(error))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn write_error(&self, error: std::io::Error) -> Error {
        if !matches!(error.kind(), IoErrorKind::StorageFull | IoErrorKind::QuotaExceeded) {
            return Error::io(&self.path, error);
        }
        let message = format!(
            "the disk is full after {} bytes: make room and try again, which goes on from there",
            self.bytes
        );
        Error::new(ErrorKind::Io, message).about(self.path.display().to_string()).caused_by(error)
    }

    /// Removes what was fetched.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn discard(self) -> Result<()> {
        let origin = self.origin_path();
        let Self { path, file, .. } = self;
        drop(file);
        remove(&path)?;
        remove(&origin)
    }

    /// Gives the finished file its name, once its bytes are safely stored.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn publish(self, path: &Path) -> Result<()> {
        self.file.sync_all().map_err(|error| Error::io(&self.path, error))?;
        fs::rename(&self.path, path).map_err(|error| Error::io(path, error))?;
        remove(&self.origin_path())
    }

    fn origin_path(&self) -> PathBuf {
        // The name of a part has an extension already.
        self.path.with_extension("part.json")
    }
}

/// The mark by which a server knows a version again: a strong entity tag, or else its date (RFC 9110, 13.1.5).
pub(crate) fn version(headers: &HeaderMap) -> Option<String> {
    let etag = text(headers, ETAG).filter(|etag| etag.starts_with('"'));
    etag.or_else(|| text(headers, LAST_MODIFIED)).map(str::to_owned)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != IoErrorKind::NotFound => Err(Error::io(path, error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://here/x.th";

    #[test]
    fn a_part_is_gone_on_with_where_the_server_marked_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let mut part = Part::open(folder.path(), "x.th").unwrap();
        assert_eq!(part.validator(URL), None);
        part.restart(URL, Some("\"1\"".to_owned())).unwrap();
        part.append(b"abc").unwrap();
        drop(part);
        let part = Part::open(folder.path(), "x.th").unwrap();
        assert_eq!((part.bytes(), part.validator(URL)), (3, Some("\"1\"")));
        assert_eq!(part.validator("http://elsewhere/x.th"), None);
        part.publish(&folder.path().join("x.th")).unwrap();
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(names, ["x.th"]);
    }

    #[test]
    fn a_full_disk_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let part = Part::open(folder.path(), "x.th").unwrap();
        let error = part.write_error(IoErrorKind::StorageFull.into());
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().contains("make room and try again"), "{error}");
    }
}
