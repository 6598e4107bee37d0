//! A store in a temporary folder, with a table of small bags whose files are those of the engine's own tests.

use std::fs;
use std::path::{Path, PathBuf};

use sfa_core::audio::StemKind;
use sfa_core::audio::separate::demucs::bags::{Bag, File, Network, sha256_hex};
use sfa_core::models::{Caches, ModelStore};
use sfa_core::{Watch, models};
use tempfile::TempDir;

pub(crate) const STEMS: &[StemKind] = &[StemKind::Drums, StemKind::Bass, StemKind::Other, StemKind::Vocals];

pub(crate) struct Desk {
    folder: TempDir,
    pub(crate) store: ModelStore,
}

impl Desk {
    /// A store that knows four bags whose files are published on `server`.
    pub(crate) fn new(server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store =
            ModelStore::at(folder.path().join("models")).with_bags(table(server)).with_caches(Caches {
                hugging_face: Some(folder.path().join("hub")),
                torch: Some(folder.path().join("checkpoints")),
            });
        Self { folder, store }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A copy of a fixture under another name.
    pub(crate) fn copy(&self, fixture: &str, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(fixture_path(fixture), &path).unwrap();
        path
    }

    /// Everything below the store's folder except its own notes, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.store.folder()).into_iter().flatten().flatten();
        let mut names: Vec<String> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.retain(|name| !matches!(name.as_str(), "models.json" | ".models.lock" | ".pull.lock"));
        names.sort();
        names
    }

    pub(crate) fn bag(&self, name: &str) -> &'static Bag {
        self.store.bag(name).unwrap()
    }

    pub(crate) fn status(&self, name: &str) -> models::BagStatus {
        self.store.status_of(self.bag(name))
    }
}

pub(crate) fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sfa-audio/tests/demucs").join(name)
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    fs::read(fixture_path(name)).unwrap()
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A file on `server` whose published checksum, if any, is that of a fixture.
fn file(server: &str, name: &str, fixture: Option<&str>) -> File {
    let path = fixture.map(fixture_path);
    File {
        name: leak(name.to_owned()),
        url: leak(format!("{server}/{name}")),
        sha256: path.as_ref().map_or("", |path| leak(sha256_hex(path, &Watch::new()).unwrap())),
        bytes: path.as_ref().map(|path| fs::metadata(path).unwrap().len()),
    }
}

fn bag(name: &'static str, description: &'static str, networks: Vec<Network>) -> Bag {
    let networks = Box::leak(networks.into_boxed_slice());
    Bag { name, description, class: "HTDemucs", stems: STEMS, networks, votes: None, segment_secs: None }
}

fn table(server: &str) -> &'static [Bag] {
    let small = Network {
        signature: "aaaaaaaa",
        repository: "someone/Small",
        safetensors: file(server, "aaaaaaaa.safetensors", Some("ht.safetensors")),
        archive: file(server, "aaaaaaaa-00000001.th", Some("ht.th")),
    };
    let one = Network {
        signature: "bbbbbbbb",
        repository: "someone/Pair",
        safetensors: file(server, "bbbbbbbb.safetensors", None),
        archive: file(server, "bbbbbbbb-00000002.th", Some("ht.th")),
    };
    let two = Network {
        signature: "cccccccc",
        repository: "someone/Pair",
        safetensors: file(server, "cccccccc.safetensors", Some("ht_other.safetensors")),
        archive: file(server, "cccccccc-00000003.th", None),
    };
    let loose = Network {
        signature: "dddddddd",
        repository: "someone/Loose",
        safetensors: file(server, "dddddddd.safetensors", None),
        archive: file(server, "dddddddd-00000004.th", None),
    };
    let six = Network {
        signature: "eeeeeeee",
        repository: "someone/Six",
        safetensors: File {
            bytes: None,
            ..file(server, "eeeeeeee.safetensors", Some("files.golden.safetensors"))
        },
        archive: file(server, "eeeeeeee-00000005.th", None),
    };
    let bags = vec![
        bag("small", "one network", vec![small]),
        bag("pair", "two networks, each published in one of the two forms", vec![one, two]),
        bag("loose", "a network without any checksum", vec![loose]),
        bag("six", "a network without any size", vec![six]),
    ];
    Box::leak(bags.into_boxed_slice())
}
