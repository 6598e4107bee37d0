//! The official bags of models: which files they are made of, where those come from and how they vote.
//!
//! Weights are never part of this crate. The code of the original is MIT; for the weights its author said in 2022
//! and 2023 that they are for research only, while the repositories that carry them today are tagged MIT. Whoever
//! fetches them should be shown both statements.

use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind, Result, StemKind, Watch};

pub use crate::nn::weights::sha256_hex;

/// One trained network of a bag and the files that hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The name that the original gives it.
    pub signature: &'static str,
    /// Where the Hugging Face hub keeps it: `owner/name`.
    pub repository: &'static str,
    /// The PyTorch archive.
    pub archive: File,
    /// The same in the safetensors format.
    pub safetensors: File,
}

/// One file of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Its name, for example `955717e8-8726e21a.th`.
    pub name: &'static str,
    /// Where its publisher has it.
    pub url: &'static str,
    /// Its SHA-256, or as many leading digits of it as were published; empty where none were.
    pub sha256: &'static str,
    /// Its exact size, where that is known.
    pub bytes: Option<u64>,
}

/// Networks that are asked together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bag {
    /// The name that selects it.
    pub name: &'static str,
    /// One honest line for people.
    pub description: &'static str,
    /// The class of its networks, as the original calls it.
    pub class: &'static str,
    /// The stems that all of its networks make, in their order.
    pub stems: &'static [StemKind],
    /// Its networks in the order in which their answers are added.
    pub networks: &'static [Network],
    /// How much each network (row) counts for each stem (column); `None` where all count alike.
    pub votes: Option<&'static [&'static [f32]]>,
    /// Seconds of a segment, where the bag does not use those of its networks.
    pub segment_secs: Option<f64>,
}

macro_rules! network {
    ($signature:literal, $check:literal, $folder:literal, $repository:literal, $th:expr, $safetensors:expr) => {
        Network {
            signature: $signature,
            repository: concat!("adefossez/", $repository),
            archive: File::new(
                concat!($signature, "-", $check, ".th"),
                concat!(
                    "https://dl.fbaipublicfiles.com/demucs/",
                    $folder,
                    "/",
                    $signature,
                    "-",
                    $check,
                    ".th"
                ),
                $th,
            ),
            safetensors: File::new(
                concat!($signature, ".safetensors"),
                concat!(
                    "https://huggingface.co/adefossez/",
                    $repository,
                    "/resolve/main/",
                    $signature,
                    ".safetensors"
                ),
                $safetensors,
            ),
        }
    };
}

const HTDEMUCS: &[Network] = &[network!(
    "955717e8",
    "8726e21a",
    "hybrid_transformer",
    "HTDemucs",
    ("8726e21a993978c7ba086d3872e7608d7d5bfca646ca4aca459ffda844faa8b4", Some(84_141_911)),
    ("d9fa14133cfcc034a6758923bb3a8ca9f8dfd0b582134643bbf83f72c17576dd", Some(84_025_440))
)];

const HTDEMUCS_FT: &[Network] = &[
    network!(
        "f7e0c4bc",
        "ba3fe64a",
        "hybrid_transformer",
        "HTDemucs-ft",
        ("ba3fe64ae8ef66ac9a4857222ce48efbdc5eb3ad375cb79dd13debee5aaa4066", Some(84_141_271)),
        File::UNKNOWN
    ),
    network!(
        "d12395a8",
        "e57c48e6",
        "hybrid_transformer",
        "HTDemucs-ft",
        ("e57c48e6b0e38af4f7118d7bd08c49f0a0c0edf7d09143bdd902ea0d237303e6", Some(84_141_271)),
        File::UNKNOWN
    ),
    network!(
        "92cfc3b6",
        "ef3bcb9c",
        "hybrid_transformer",
        "HTDemucs-ft",
        ("ef3bcb9c8b40d14ae5d51b6db2587339cc12c6b77c0be151ce6d69002e087bf2", Some(84_141_271)),
        File::UNKNOWN
    ),
    network!(
        "04573f0d",
        "f3cf25b2",
        "hybrid_transformer",
        "HTDemucs-ft",
        ("f3cf25b222c4eed7cd49dd8b2c9597d50c18bd154090f7b919cfa5f93cf22c49", Some(84_141_271)),
        File::UNKNOWN
    ),
];

const HTDEMUCS_6S: &[Network] = &[network!(
    "5c90dfd2",
    "34c22ccb",
    "hybrid_transformer",
    "HTDemucs-6s",
    ("34c22ccb", None),
    ("d2a1745f0744721f6b8ca5bf469b67c651ea5ed1b52998cab033b2158609d411", None)
)];

const HDEMUCS_MMI: &[Network] = &[network!(
    "75fc33f5",
    "1941ce65",
    "hybrid_transformer",
    "Demucs-hdemucs_mmi",
    ("1941ce654b11df4132b9f4eae408556b4c83fad6fe26b4bc0dbcb36b975befb3", Some(167_407_275)),
    File::UNKNOWN
)];

const MDX_EXTRA: &[Network] = &[
    network!(
        "e51eebcc",
        "c1b80bdd",
        "mdx_final",
        "Demucs-mdx_extra",
        ("c1b80bdd6de58274abf359e66822a76f49ce2b9f086fc5dc917ac14598e6bebf", Some(167_399_275)),
        File::UNKNOWN
    ),
    network!(
        "a1d90b5c",
        "ae9d2452",
        "mdx_final",
        "Demucs-mdx_extra",
        ("ae9d245283bf24b552913ee233a1101dcd0aeaed59b1c0a2da0e1f6eda15101b", Some(167_391_595)),
        File::UNKNOWN
    ),
    network!(
        "5d2d6c55",
        "db83574e",
        "mdx_final",
        "Demucs-mdx_extra",
        ("db83574e05b2308f76e2764819da673f2d16d437b9e619f5fcb72f275fc0e24f", Some(167_391_595)),
        File::UNKNOWN
    ),
    network!(
        "cfa93e08",
        "61801ae1",
        "mdx_final",
        "Demucs-mdx_extra",
        ("61801ae1567d606c97a9c3469e943ae306d0a873eeb60d623ae7cfc7042b3f68", Some(167_399_275)),
        File::UNKNOWN
    ),
];

const SIX: &[StemKind] =
    &[StemKind::Drums, StemKind::Bass, StemKind::Other, StemKind::Vocals, StemKind::Guitar, StemKind::Piano];
const FOUR: &[StemKind] = SIX.split_at(4).0;

/// Every bag that this crate can run.
pub const BAGS: &[Bag] = &[
    Bag {
        name: "htdemucs",
        description: "Hybrid Transformer Demucs (2023), four stems: about 9 dB on MUSDB18-HQ",
        class: "HTDemucs",
        stems: FOUR,
        networks: HTDEMUCS,
        votes: None,
        segment_secs: None,
    },
    Bag {
        name: "htdemucs_ft",
        description: "htdemucs with one network fine-tuned per stem: a little better, four times the work",
        class: "HTDemucs",
        stems: FOUR,
        networks: HTDEMUCS_FT,
        votes: Some(&[
            &[1.0, 0.0, 0.0, 0.0],
            &[0.0, 1.0, 0.0, 0.0],
            &[0.0, 0.0, 1.0, 0.0],
            &[0.0, 0.0, 0.0, 1.0],
        ]),
        segment_secs: None,
    },
    Bag {
        name: "htdemucs_6s",
        description: "htdemucs with guitar and piano as well; its authors call the piano poor",
        class: "HTDemucs",
        stems: SIX,
        networks: HTDEMUCS_6S,
        votes: None,
        segment_secs: None,
    },
    Bag {
        name: "hdemucs_mmi",
        description: "Hybrid Demucs (2021), trained again on more songs: about 8 dB on MUSDB18-HQ",
        class: "HDemucs",
        stems: FOUR,
        networks: HDEMUCS_MMI,
        votes: None,
        segment_secs: Some(44.0),
    },
    Bag {
        name: "mdx_extra",
        description: "four Hybrid Demucs of the 2021 challenge, averaged; trained on MUSDB18's test songs too",
        class: "HDemucs",
        stems: FOUR,
        networks: MDX_EXTRA,
        votes: None,
        segment_secs: Some(44.0),
    },
];

impl Bag {
    /// The bag called `name`.
    ///
    /// # Errors
    /// `InvalidOption` naming those there are.
    pub fn named(name: &str) -> Result<&'static Self> {
        BAGS.iter().find(|bag| bag.name == name).ok_or_else(|| {
            let names: Vec<_> = BAGS.iter().map(|bag| bag.name).collect();
            Error::new(
                ErrorKind::InvalidOption,
                format!("there is no model \"{name}\"; there are {}", names.join(", ")),
            )
        })
    }
}

impl Bag {
    /// The stems of its networks.
    pub fn stems(&self) -> &'static [StemKind] {
        const SIX: &[StemKind] = &StemKind::SOURCES;
        if self.name == "htdemucs_6s" { SIX } else { &SIX[..4] }
    }

    /// The places, among its networks, of those that have a vote for one of `stems`.
    pub fn needed_networks(&self, stems: Option<&[StemKind]>) -> Vec<usize> {
        let has_vote = |&index: &usize| {
            let (Some(votes), Some(wanted)) = (self.votes, stems) else { return true };
            self.stems().iter().zip(votes[index]).any(|(kind, &vote)| vote != 0.0 && wanted.contains(kind))
        };
        (0..self.networks.len()).filter(has_vote).collect()
    }
}

impl Network {
    /// The file in `folder` that holds this network: safetensors, or the archive with or without its check digits.
    ///
    /// # Errors
    /// `ModelUnavailable` naming the files that were looked for.
    pub fn find(&self, folder: &Path) -> Result<PathBuf> {
        let unchecked = format!("{}.th", self.signature);
        let names = [self.safetensors.name, self.archive.name, &unchecked];
        names.iter().map(|name| folder.join(name)).find(|path| path.is_file()).ok_or_else(|| {
            let [safetensors, archive, _] = names;
            Error::new(
                ErrorKind::ModelUnavailable,
                format!("neither {safetensors} nor {archive} is in {}", folder.display()),
            )
            .about(self.signature)
        })
    }
}

impl File {
    /// Where nothing is known of the bytes.
    const UNKNOWN: (&str, Option<u64>) = ("", None);

    const fn new(name: &'static str, url: &'static str, bytes: (&'static str, Option<u64>)) -> Self {
        Self { name, url, sha256: bytes.0, bytes: bytes.1 }
    }

    /// Whether bytes with this SHA-256 are the published ones; never where no checksum was published.
    pub fn matches(&self, sha256: &str) -> bool {
        !self.sha256.is_empty() && sha256.starts_with(self.sha256)
    }

    /// Checks that the file at `path` is this one.
    ///
    /// # Errors
    /// `Io`; `ModelUnavailable` when its SHA-256 is another one or none was ever published.
    pub fn verify(&self, path: &Path) -> Result<()> {
        let unavailable = |message: String| {
            Error::new(ErrorKind::ModelUnavailable, message).about(path.display().to_string())
        };
        if self.sha256.is_empty() {
            return Err(unavailable(format!("no checksum of {} is known", self.name)));
        }
        let found = sha256_hex(path, &Watch::new())?;
        if self.matches(&found) {
            Ok(())
        } else {
            Err(unavailable(format!("the SHA-256 is {found}, not {}: fetch the file again", self.sha256)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_begin_with_the_digits_in_the_names() {
        for network in BAGS.iter().flat_map(|bag| bag.networks) {
            let digits = network.archive.name.strip_prefix(network.signature).unwrap();
            let digits = digits.strip_prefix('-').unwrap().strip_suffix(".th").unwrap();
            assert!(network.archive.sha256.starts_with(digits), "{}", network.signature);
        }
    }

    #[test]
    fn one_stem_of_the_fine_tuned_bag_needs_one_network() {
        let bag = Bag::named("htdemucs_ft").unwrap();
        assert_eq!(bag.needed_networks(Some(&[StemKind::Vocals])), [3]);
        assert_eq!(bag.needed_networks(Some(&[StemKind::Drums, StemKind::Other])), [0, 2]);
        assert_eq!(bag.needed_networks(None), [0, 1, 2, 3]);
        assert_eq!(Bag::named("mdx_extra").unwrap().needed_networks(Some(&[StemKind::Bass])).len(), 4);
    }

    #[test]
    fn a_file_with_other_bytes_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = HTDEMUCS[0].archive.verify(file.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelUnavailable);
        assert!(error.message().contains("e3b0c442"), "{error}");
        let unpublished = HTDEMUCS_FT[0].safetensors.verify(file.path()).unwrap_err();
        assert!(unpublished.message().contains("no checksum"), "{unpublished}");
    }

    #[test]
    fn a_missing_network_names_the_files_that_would_do() {
        let folder = tempfile::tempdir().unwrap();
        let error = HTDEMUCS[0].find(folder.path()).unwrap_err();
        assert!(error.message().contains("955717e8-8726e21a.th"), "{error}");
        std::fs::write(folder.path().join("955717e8.th"), b"").unwrap();
        assert!(HTDEMUCS[0].find(folder.path()).is_ok());
    }
}
