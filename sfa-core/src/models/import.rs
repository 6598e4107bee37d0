//! Taking files that the user already has into the store.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sfa_audio::io::AtomicFile;
use sfa_audio::separate::demucs::bags::{Bag, File, Network, sha256_hex};
use sfa_audio::separate::demucs::check_file;

use super::index::Index;
use super::remove::{Removed, weight_names};
use super::{ModelStore, part_of};
use crate::{Error, ErrorKind, Result, Watch};

/// A file that is in the store now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Imported {
    /// The network it holds.
    pub signature: &'static str,
    /// Where it was taken from.
    pub source: PathBuf,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is the published file.
    pub verified: bool,
    /// How it got there.
    pub placement: Placement,
    /// Files of the same network that it took the place of.
    pub replaced: Vec<PathBuf>,
}

/// How a file got into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// As a second name of the same bytes, which costs no space.
    Linked,
    /// As a copy.
    Copied,
    /// It was there.
    AlreadyThere,
}

/// A file, and what it will be in the store.
struct Candidate<'a> {
    source: &'a Path,
    sha256: String,
    /// Which network, and as which published file where it is one.
    network: Option<(&'static Network, Option<File>)>,
}

impl ModelStore {
    /// Takes `files` into the store as networks of `bag`.
    ///
    /// Which network a file holds is told by its checksum, or else by the signature that its name begins with, or
    /// else by its place among as many files as the bag has networks. Each network has one file: what was there
    /// before is replaced. Nothing is placed unless all files are accepted.
    ///
    /// # Errors
    /// `ModelUnavailable` for a file whose checksum was not published, unless `unverified` allows it; even then for
    /// one that is no model of this kind. `InvalidOption` when it cannot be told which file is which. `Io`;
    /// `Cancelled` when stopped.
    pub fn import(
        &self,
        bag: &'static Bag,
        files: &[PathBuf],
        unverified: bool,
        watch: &Watch,
    ) -> Result<Vec<Imported>> {
        let sizes = files.iter().map(|file| fs::metadata(file).map(|about| about.len()));
        let total = sizes.flatten().sum();
        let mut done = 0;
        let mut candidates = Vec::new();
        for source in files {
            let sha256 = sha256_hex(source, &part_of(watch, done, total))?;
            done += fs::metadata(source).map_or(0, |about| about.len());
            candidates.push(self.recognise(bag, source, sha256, unverified)?);
        }
        let assigned = assign(bag, &candidates)?;
        for (candidate, (network, published)) in candidates.iter().zip(&assigned) {
            watch.checkpoint()?;
            if published.is_none() {
                check_kind(bag, network, candidate.source)?;
            }
        }
        candidates
            .into_iter()
            .zip(assigned)
            .map(|(candidate, (network, published))| self.place(candidate, network, published, watch))
            .collect()
    }

    /// Tells which network a file holds, by its checksum or else by its name.
    fn recognise<'a>(
        &self,
        bag: &'static Bag,
        source: &'a Path,
        sha256: String,
        unverified: bool,
    ) -> Result<Candidate<'a>> {
        let refuse =
            |kind, message: String| Err(Error::new(kind, message).about(source.display().to_string()));
        let published = |network: &Network| {
            [network.safetensors, network.archive].into_iter().find(|file| file.matches(&sha256))
        };
        let name = source.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        let named = |network: &Network| unverified && begins_with_signature(&name, network);
        let ours = || bag.networks.iter();
        let others = self.bags.iter().filter(|other| other.name != bag.name);
        let mut others = others.flat_map(|other| other.networks.iter().map(move |network| (other, network)));
        let by_checksum = ours().find_map(|network| Some((network, Some(published(network)?))));
        if let Some(network) = by_checksum {
            return Ok(Candidate { source, sha256, network: Some(network) });
        }
        let by_name = ours().find(|network| named(network)).map(|network| (network, None));
        let foreign =
            others.find(|(_, network)| published(network).is_some() || by_name.is_none() && named(network));
        if let Some((owner, network)) = foreign {
            let (signature, owner) = (network.signature, owner.name);
            let message = format!(
                "this is network {signature} of {owner}, not one of {}: `sfa models import {owner} FILE` takes it",
                bag.name
            );
            return refuse(ErrorKind::InvalidOption, message);
        }
        if unverified {
            return Ok(Candidate { source, sha256, network: by_name });
        }
        let message = format!(
            "its SHA-256 is {sha256}, which is not that of a published file of {}: if you trust where it comes \
             from, --unverified takes it all the same",
            bag.name
        );
        refuse(ErrorKind::ModelUnavailable, message)
    }

    fn place(
        &self,
        candidate: Candidate<'_>,
        network: &'static Network,
        published: Option<File>,
        watch: &Watch,
    ) -> Result<Imported> {
        let Candidate { source, sha256, .. } = candidate;
        fs::create_dir_all(&self.folder).map_err(|error| Error::io(&self.folder, error))?;
        // A link must be to the file itself, not to a link, as those in the hub's cache are.
        let source_file = fs::canonicalize(source).map_err(|error| Error::io(source, error))?;
        let name = match published {
            Some(file) => file.name.to_owned(),
            None if is_archive(&source_file)? => format!("{}.th", network.signature),
            None => network.safetensors.name.to_owned(),
        };
        let path = self.folder.join(&name);
        let there = path.is_file() && sha256_hex(&path, &watch.muted())? == sha256;
        let placement =
            if there { Placement::AlreadyThere } else { link_or_copy(&source_file, &path, watch)? };
        let from = source_file.display().to_string();
        Index::update(&self.folder, |index| index.remember(&path, sha256, from))?;
        let others: Vec<String> = weight_names(network).into_iter().filter(|other| *other != name).collect();
        let mut replaced = Removed::default();
        self.remove_names(&others, &mut replaced)?;
        Ok(Imported {
            signature: network.signature,
            source: source.to_owned(),
            path,
            verified: published.is_some(),
            placement,
            replaced: replaced.files,
        })
    }
}

/// Gives every file its network: those whose names tell nothing go by their order.
fn assign(bag: &'static Bag, candidates: &[Candidate<'_>]) -> Result<Vec<(&'static Network, Option<File>)>> {
    let invalid = |message: String| Err(Error::new(ErrorKind::InvalidOption, message));
    let networks = bag.networks.len();
    let known = candidates.iter().filter(|candidate| candidate.network.is_some()).count();
    if known < candidates.len() && candidates.len() != networks {
        let signatures: Vec<&str> = bag.networks.iter().map(|network| network.signature).collect();
        return invalid(format!(
            "{} consists of {networks} files, and neither checksum nor name tells which of them {} of these are: \
             give all of them in the order {}, or begin their names with these signatures",
            bag.name,
            candidates.len() - known,
            signatures.join(", ")
        ));
    }
    let mut assigned: Vec<(&'static Network, Option<File>)> = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        let (network, published) = candidate.network.unwrap_or_else(|| (&bag.networks[place], None));
        if assigned.iter().any(|(other, _)| other.signature == network.signature) {
            return invalid(format!(
                "{}: another of these files is network {} of {} too: give one file for each",
                candidate.source.display(),
                network.signature,
                bag.name
            ));
        }
        assigned.push((network, published));
    }
    Ok(assigned)
}

/// Checks that a file is a model of the kind that `bag` consists of.
pub(super) fn check_kind(bag: &Bag, network: &Network, path: &Path) -> Result<()> {
    let found = check_file(path)?;
    if found.class == bag.class && found.stems == bag.stems {
        return Ok(());
    }
    let names =
        |stems: &[crate::StemKind]| stems.iter().map(|stem| stem.name()).collect::<Vec<_>>().join(", ");
    let message = format!(
        "this is a {} for {}, but network {} of {} is a {} for {}",
        found.class,
        names(&found.stems),
        network.signature,
        bag.name,
        bag.class,
        names(bag.stems)
    );
    Err(Error::new(ErrorKind::ModelUnavailable, message).about(path.display().to_string()))
}

/// Whether a name is the signature of `network`, or begins with it and goes on with something else.
fn begins_with_signature(name: &str, network: &Network) -> bool {
    name.strip_prefix(network.signature)
        .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
}

/// Whether a file is a PyTorch archive, which begins as any zip archive does.
fn is_archive(path: &Path) -> Result<bool> {
    let mut start = Vec::new();
    let file = fs::File::open(path).map_err(|error| Error::io(path, error))?;
    file.take(2).read_to_end(&mut start).map_err(|error| Error::io(path, error))?;
    Ok(start == b"PK")
}

/// Gives the file at `from` a second name, or copies it where the file system cannot do that.
fn link_or_copy(from: &Path, to: &Path, watch: &Watch) -> Result<Placement> {
    const BLOCK_BYTES: usize = 1 << 20;
    let link = AtomicFile::create(to)?;
    // The link takes over the temporary name, and with it all that is promised of such a file.
    let freed = fs::remove_file(link.temporary_path());
    if freed.and_then(|()| fs::hard_link(from, link.temporary_path())).is_ok() {
        link.publish()?;
        return Ok(Placement::Linked);
    }
    drop(link);
    let copy = AtomicFile::create(to)?;
    let mut reader = fs::File::open(from).map_err(|error| Error::io(from, error))?;
    let mut writer = copy.handle()?;
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        watch.checkpoint()?;
        match reader.read(&mut block).map_err(|error| Error::io(from, error))? {
            0 => break,
            read => writer.write_all(&block[..read]).map_err(|error| Error::io(to, error))?,
        }
    }
    copy.publish()?;
    Ok(Placement::Copied)
}
