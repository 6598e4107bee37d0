//! Who separates: which engines and models there are, which one a request means, and why.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sfa_audio::separate::EngineInfo;
use sfa_audio::separate::classic::Classic;
use sfa_audio::separate::demucs::bags::{Bag, Network};
use sfa_audio::separate::demucs::{Demucs, DemucsOptions, Device, Precision, Shifts};
use sfa_audio::separate::python::{PythonDemucs, PythonOptions};

use crate::models::ModelStore;
use crate::song::ModelUse;
use crate::{Error, ErrorKind, Result, Separator, StemKind, StemSelection, Watch};

/// The engine that runs Demucs networks.
pub const DEMUCS: &str = "demucs";
/// The engine that runs the user's own `demucs` Python package, for models that [`DEMUCS`] does not have.
pub const PYTHON: &str = "python";
/// The engine that needs no model.
pub const CLASSIC: &str = "classic";
/// Whichever engine is best among those that are ready.
pub const AUTO: &str = "auto";

/// The models that [`AUTO`] takes, the first that is on this machine; all of them are better than no model.
const PREFERRED: [&str; 5] = ["htdemucs", "htdemucs_ft", "hdemucs_mmi", "mdx_extra", "htdemucs_6s"];

const AS_ASKED: &str = "as asked for";

/// How a network works on a song. Engines without a network take none of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ModelOptions {
    /// Seconds of audio that the network sees at once; the model's own where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment_secs: Option<f64>,
    /// Share of a segment repeated in the next. Default: 0.25.
    pub overlap: f64,
    /// Passes over a randomly shifted song whose results are averaged; each costs a whole run. Default: 0.
    pub shifts: u32,
    /// Where the sequence of shifts starts: the same seed gives the same stems. Default: 0.
    pub seed: u64,
    /// "fp32", "bf16" or "fp16". Default: fp32.
    #[serde(with = "as_text")]
    #[schemars(with = "String")]
    pub precision: Precision,
    /// "cpu" or "cuda:N". Default: cpu.
    #[serde(with = "as_text")]
    #[schemars(with = "String")]
    pub device: Device,
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self {
            segment_secs: None,
            overlap: 0.25,
            shifts: 0,
            seed: 0,
            precision: Precision::default(),
            device: Device::default(),
        }
    }
}

/// Values that documents hold as the words a user types.
pub(crate) mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a caller wants of an engine.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineRequest {
    /// [`AUTO`], [`DEMUCS`], [`PYTHON`] or [`CLASSIC`]. Default: [`AUTO`].
    pub engine: String,
    /// Name of the model, for engines that have some; the best one on this machine where `None`.
    pub model: Option<String>,
    /// How the model works.
    pub options: ModelOptions,
    /// Worker threads of the network; one per core where `None`.
    pub threads: Option<usize>,
    /// A folder with models of the user's own, for [`PYTHON`].
    pub repo: Option<PathBuf>,
}

impl Default for EngineRequest {
    fn default() -> Self {
        Self {
            engine: AUTO.to_owned(),
            model: None,
            options: ModelOptions::default(),
            threads: None,
            repo: None,
        }
    }
}

/// Which engine will separate, and why that one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineChoice {
    /// The name of the engine.
    pub engine: &'static str,
    /// The name of its model, where it has one.
    pub model: Option<String>,
    /// One honest line about what to expect.
    pub description: &'static str,
    /// Why it was chosen.
    pub reason: String,
}

impl EngineChoice {
    /// About how much memory a song takes while it is separated. Measured for the engines of this crate; the Python
    /// package holds a whole song with all its stems.
    pub fn memory_bytes(&self) -> u64 {
        const MIB: u64 = 1 << 20;
        match (self.engine, self.model.as_deref()) {
            (CLASSIC, _) => 200 * MIB,
            (PYTHON, _) => 4096 * MIB,
            (_, Some("mdx_extra")) => 1536 * MIB,
            _ => 800 * MIB,
        }
    }
}

impl fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { engine, model, description, reason } = self;
        match model {
            Some(model) => write!(f, "engine {engine}, model {model} ({reason}): {description}"),
            None => write!(f, "engine {engine} ({reason}): {description}"),
        }
    }
}

/// The engines of a studio. A network is loaded when it is first needed and kept for the next song.
pub(crate) struct Engines {
    store: Result<ModelStore, Unplaced>,
    classic: Arc<Classic>,
    loaded: Mutex<Option<Loaded>>,
    python: Mutex<Option<(String, PythonOptions, Arc<PythonDemucs>)>>,
}

/// Why there is no folder for models, said when one is needed.
struct Unplaced(String);

/// Networks that are ready, and what they were loaded for.
struct Loaded {
    files: Vec<PathBuf>,
    options: DemucsOptions,
    demucs: Arc<Demucs>,
}

/// An engine that is about to work on a song.
pub(crate) struct Ready {
    pub(crate) separator: Arc<dyn Separator>,
    pub(crate) model: Option<ModelUse>,
}

impl fmt::Debug for Engines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engines").field("ready", &self.ready()).finish_non_exhaustive()
    }
}

impl Engines {
    pub(crate) fn new(store: Result<ModelStore>) -> Self {
        Self {
            store: store.map_err(|error| Unplaced(error.to_string())),
            classic: Arc::new(Classic::new()),
            loaded: Mutex::new(None),
            python: Mutex::new(None),
        }
    }

    pub(crate) fn store(&self) -> Result<&ModelStore> {
        self.store
            .as_ref()
            .map_err(|Unplaced(reason)| Error::new(ErrorKind::ModelUnavailable, reason.clone()))
    }

    /// Every engine that could work now, the best first: one line per model that is on this machine.
    pub(crate) fn ready(&self) -> Vec<EngineInfo> {
        let bags = PREFERRED.iter().filter_map(|name| self.installed(name));
        let mut ready: Vec<EngineInfo> =
            bags.map(|bag| EngineInfo::new(bag.name, bag.description, bag.stems())).collect();
        ready.push(self.classic.info().clone());
        ready
    }

    /// The bag called `name`, when all its files are on this machine.
    fn installed(&self, name: &str) -> Option<&'static Bag> {
        let store = self.store().ok()?;
        let bag = store.bag(name).ok()?;
        bag.networks.iter().all(|network| store.find(bag, network).is_ok()).then_some(bag)
    }

    /// Says which engine a request means.
    pub(crate) fn choose(&self, request: &EngineRequest, selection: &StemSelection) -> Result<EngineChoice> {
        if request.repo.is_some() && request.engine != PYTHON {
            return Err(invalid(format!("a folder of models of your own is for the engine {PYTHON}")));
        }
        match (request.engine.as_str(), request.model.as_deref()) {
            (PYTHON, Some(model)) => choose_python(model, request),
            (PYTHON, None) => {
                Err(invalid(format!("name the model that the engine {PYTHON} should run, for example mdx_q")))
            }
            (AUTO | DEMUCS, Some(model)) => self.choose_model(model, selection, AS_ASKED.into()),
            (DEMUCS, None) => self.choose_best(selection).unwrap_or_else(|| {
                let model = default_model(selection);
                self.choose_model(model, selection, AS_ASKED.into())
            }),
            (AUTO, None) => match self.choose_best(selection) {
                Some(choice) => choice,
                None => self.choose_classic(request, selection, true),
            },
            (CLASSIC, None) => self.choose_classic(request, selection, false),
            (CLASSIC, Some(model)) => {
                Err(invalid(format!("{CLASSIC} has no models, so none called \"{model}\"")))
            }
            (other, _) => Err(invalid(format!(
                "there is no engine \"{other}\"; there are {AUTO}, {DEMUCS}, {PYTHON}, {CLASSIC}"
            ))),
        }
    }

    /// The best model on this machine that makes all stems wanted.
    fn choose_best(&self, selection: &StemSelection) -> Option<Result<EngineChoice>> {
        let installed = PREFERRED.iter().filter_map(|name| self.installed(name));
        let bag = installed.into_iter().find(|bag| selection.recipes(bag.stems()).is_ok())?;
        Some(self.choose_model(bag.name, selection, "the best model on this machine".into()))
    }

    fn choose_model(&self, name: &str, selection: &StemSelection, reason: String) -> Result<EngineChoice> {
        let store = self.store()?;
        let bag = store.bag(name)?;
        selection.recipes(bag.stems()).map_err(|error| error.about(format!("model {name}")))?;
        for index in bag.needed_networks(selection.needed().as_deref()) {
            store.find(bag, &bag.networks[index])?;
        }
        Ok(EngineChoice {
            engine: DEMUCS,
            model: Some(bag.name.to_owned()),
            description: bag.description,
            reason,
        })
    }

    fn choose_classic(
        &self,
        request: &EngineRequest,
        selection: &StemSelection,
        is_last_resort: bool,
    ) -> Result<EngineChoice> {
        let info = self.classic.info();
        let model = default_model(selection);
        let pull = format!("`sfa models pull {model}` gets one");
        if let Err(error) = selection.recipes(info.stems) {
            // What another engine could make is a matter of its model.
            let bag = self.store()?.bag(model)?;
            return Err(match selection.recipes(bag.stems()) {
                Ok(_) if is_last_resort => Error::new(
                    ErrorKind::ModelUnavailable,
                    format!("these stems need the model {model}, and it is not on this machine: {pull}"),
                ),
                _ => error,
            });
        }
        if request.options != ModelOptions::default() || request.threads.is_some() {
            let message = "segment, overlap, shifts, seed, precision, device and threads are settings of a neural model";
            return Err(if is_last_resort {
                Error::new(
                    ErrorKind::ModelUnavailable,
                    format!("{message}, and none is on this machine: {pull}"),
                )
            } else {
                invalid(format!("{message}; {CLASSIC} has none of them"))
            });
        }
        let reason = if is_last_resort {
            format!("no neural model is on this machine; {pull}")
        } else {
            AS_ASKED.into()
        };
        Ok(EngineChoice { engine: CLASSIC, model: None, description: info.description, reason })
    }

    /// Loads what a choice needs.
    pub(crate) fn load(
        &self,
        request: &EngineRequest,
        choice: &EngineChoice,
        selection: &StemSelection,
        watch: &Watch,
    ) -> Result<Ready> {
        let Some(name) = choice.model.clone() else {
            return Ok(Ready { separator: Arc::clone(&self.classic) as Arc<dyn Separator>, model: None });
        };
        let options = request.options.clone();
        if choice.engine == PYTHON {
            let python = self.load_python(&name, python_options(request), watch)?;
            let package = format!("demucs {}, torch {}", python.demucs_version(), python.torch_version());
            let model = ModelUse { name, options, networks: Vec::new(), package: Some(package) };
            return Ok(Ready { separator: python, model: Some(model) });
        }
        let demucs = self.load_demucs(&name, demucs_options(request, selection))?;
        let model = ModelUse { name, options, networks: demucs.runs(), package: None };
        Ok(Ready { separator: demucs, model: Some(model) })
    }

    /// The worker of a model stays for the next song, as networks do.
    fn load_python(&self, model: &str, options: PythonOptions, watch: &Watch) -> Result<Arc<PythonDemucs>> {
        let mut worker = self.python.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, known, python)) = &*worker
            && (name.as_str(), known) == (model, &options)
        {
            return Ok(Arc::clone(python));
        }
        *worker = None;
        let python = Arc::new(PythonDemucs::open(model, options.clone(), watch)?);
        *worker = Some((model.to_owned(), options, Arc::clone(&python)));
        Ok(python)
    }

    fn load_demucs(&self, model: &str, options: DemucsOptions) -> Result<Arc<Demucs>> {
        let store = self.store()?;
        let bag = store.bag(model)?;
        let needed = bag.needed_networks(options.stems.as_deref()).into_iter();
        let files = needed.map(|index| store.find(bag, &bag.networks[index])).collect::<Result<Vec<_>>>()?;
        // Held while loading: songs side by side must not load the same networks twice.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = &*loaded
            && (&found.files, &found.options) == (&files, &options)
        {
            return Ok(Arc::clone(&found.demucs));
        }
        // The old networks go before the new ones come.
        *loaded = None;
        let find = |network: &Network| store.find(bag, network);
        let demucs = Arc::new(Demucs::open(bag, find, options.clone())?);
        *loaded = Some(Loaded { files, options, demucs: Arc::clone(&demucs) });
        Ok(demucs)
    }
}

fn choose_python(model: &str, request: &EngineRequest) -> Result<EngineChoice> {
    let ModelOptions { seed, precision, .. } = request.options;
    if seed != 0 || precision != Precision::default() || request.threads.is_some() {
        return Err(invalid(format!("the engine {PYTHON} takes no seed, precision and threads")));
    }
    Ok(EngineChoice {
        engine: PYTHON,
        model: Some(model.to_owned()),
        description: "the demucs Python package on this machine",
        reason: AS_ASKED.into(),
    })
}

fn python_options(request: &EngineRequest) -> PythonOptions {
    let ModelOptions { segment_secs, overlap, shifts, device, .. } = request.options;
    let mut options = PythonOptions::default();
    options.repo = request.repo.clone();
    options.device = Some(device.to_string());
    options.segment_secs = segment_secs;
    options.overlap = overlap;
    options.shifts = shifts;
    options
}

fn demucs_options(request: &EngineRequest, selection: &StemSelection) -> DemucsOptions {
    let ModelOptions { segment_secs, overlap, shifts, seed, precision, device } = request.options;
    let mut options = DemucsOptions::default();
    options.stems = selection.needed();
    options.segment_secs = segment_secs;
    options.overlap = overlap;
    options.shifts = if shifts == 0 { Shifts::None } else { Shifts::Random { count: shifts, seed } };
    options.threads = request.threads;
    options.precision = precision;
    options.device = device;
    options
}

/// The model to recommend for these stems.
fn default_model(selection: &StemSelection) -> &'static str {
    let rare = [StemKind::Guitar, StemKind::Piano];
    let needed = selection.needed().unwrap_or_default();
    let named = match selection {
        StemSelection::Two { stem, .. } => Some(stem),
        _ => None,
    };
    if needed.iter().chain(named).any(|kind| rare.contains(kind)) { "htdemucs_6s" } else { PREFERRED[0] }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOption, message)
}
