//! Telling the file that was meant from any other.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{Error, Result, Stage, Watch};

/// Bytes between two looks at the watch: a few milliseconds of work.
const BLOCK_BYTES: usize = 1 << 18;

/// The SHA-256 of a file, in lower-case hexadecimal digits.
///
/// # Errors
/// `Io`; `Cancelled` when stopped.
pub fn sha256_hex(path: &Path, watch: &Watch) -> Result<String> {
    let failed = |error| Error::io(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let total = file.metadata().map_err(failed)?.len();
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK_BYTES];
    let mut done = 0;
    loop {
        watch.report(Stage::Check, done, total.max(done))?;
        match file.read(&mut block).map_err(failed)? {
            0 => break,
            read => {
                hasher.update(&block[..read]);
                done += read as u64;
            }
        }
    }
    Ok(hex(hasher))
}

/// The same of bytes in memory.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(bytes);
    hex(hasher)
}

fn hex(hasher: Sha256) -> String {
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
    }
    hex
}
