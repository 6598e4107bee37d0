//! Packages: what another program needs of some songs, in one archive. What goes in is planned first, by one function
//! that both shows the plan and has it carried out.

use serde::{Deserialize, Serialize};
use sfa_audio::io::{AudioFormat, BitDepth, EncodeOptions, SeratoTags};
use sfa_audio::{AudioSpec, Result as AudioResult};

use super::file_names::{self, FileNames};
use super::{
    Blob, Database, JobId, LibraryError, LibraryErrorKind, LibraryResult, LibraryStem, Scope, Settings, Step,
    Track, TrackId,
};
use crate::export::{self, PlaylistEntry};
use crate::naming;

/// Songs of one package.
const MOST_TRACKS: usize = 200;
const RATES_HZ: [u32; 4] = [44_100, 48_000, 88_200, 96_000];
/// The quietest and the loudest that a song can be asked to be.
const LOUDNESS_LUFS: std::ops::RangeInclusive<f64> = -40.0..=0.0;
/// Stems that are made louder stay below this, since their integers end there.
const CEILING_DBFS: f64 = -0.1;
/// The folder of the songs themselves.
const MUSIC: &str = "Music";

/// Who a package is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The songs, and one collection in XML with their grids, cues and loops.
    Rekordbox,
    /// The songs, and one collection as NML with their grids, hot cues and loops.
    Traktor,
    /// The songs with their grids, cues and loops in the files themselves, where Mixxx finds them too, and a list of
    /// them.
    Serato,
    /// The songs, and a list of them that every player reads.
    Playlist,
    /// For each song its stems, a MIDI file with tempo and sections, label tracks, and the notes where there are some.
    Daw,
    /// The stems of each song.
    Stems,
    /// For each song a page to read, and what was measured as JSON.
    Report,
}

impl Target {
    /// Every target.
    pub const ALL: [Self; 7] =
        [Self::Rekordbox, Self::Traktor, Self::Serato, Self::Playlist, Self::Daw, Self::Stems, Self::Report];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rekordbox => "rekordbox",
            Self::Traktor => "traktor",
            Self::Serato => "serato",
            Self::Playlist => "playlist",
            Self::Daw => "daw",
            Self::Stems => "stems",
            Self::Report => "report",
        }
    }

    /// The collection that its programs find songs by, where they do so by their full path.
    const fn collection(self) -> Option<Collection> {
        match self {
            Self::Rekordbox => Some(Collection::Rekordbox),
            Self::Traktor => Some(Collection::Traktor),
            _ => None,
        }
    }
}

/// How stems are written into a package; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conversion {
    /// Container: "wav", "flac", "mp3" or "m4a".
    pub format: Option<String>,
    /// Bits of a sample.
    pub bit_depth: Option<BitDepth>,
    /// Samples in a second: 44100, 48000, 88200 or 96000.
    pub sample_rate_hz: Option<u32>,
    /// How loud the song that the stems add up to becomes, −40 to 0 LUFS. All stems get one gain, as much as fits.
    pub loudness_lufs: Option<f64>,
}

/// A package to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageOrder {
    /// Who it is for.
    pub target: Target,
    /// The songs in their order, 1 to 200.
    pub tracks: Vec<TrackId>,
    /// What it is called; the archive is named after it.
    pub name: String,
    /// The folder that it will be unpacked in, on the machine of that program: rekordbox and Traktor look for songs where
    /// their collection says that they are.
    #[serde(default)]
    pub folder: Option<String>,
    /// How stems are written.
    #[serde(default)]
    pub stems: Conversion,
}

/// A package that was made; it can be fetched for a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The job that made it names it.
    pub id: JobId,
    /// The name of the archive.
    pub name: String,
    /// Who it is for.
    pub target: String,
    /// How many songs were asked for.
    pub tracks: i64,
    /// The archive.
    pub blob: Blob,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
}

/// What a package would hold.
#[derive(Debug, Clone, Default)]
pub struct PackagePlan {
    /// The files in their order.
    pub files: Vec<PlannedFile>,
    /// What the user should know before: what is missing and how to get it.
    pub notes: Vec<String>,
}

/// One file of a package.
#[derive(Debug, Clone)]
pub struct PlannedFile {
    /// Where it is in the archive, with forward slashes.
    pub path: String,
    /// How large it is, where that is known before it is made.
    pub size_bytes: Option<i64>,
    pub(crate) content: Content,
}

/// Where the bytes of a file come from.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// They are in the store.
    Kept(Blob),
    /// From a stem in the store.
    Converted {
        stem: Box<LibraryStem>,
        gain_db: f64,
    },
    /// A song in the store, with the tags of Serato.
    Tagged(Blob, TrackId),
    Text(String),
    /// From the analysis of a song.
    Document(Document, TrackId),
    /// From the analyses of songs, and where their files will be.
    Collection(Collection, Vec<(TrackId, String)>),
}

/// A file about many songs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collection {
    Rekordbox,
    Traktor,
}

impl Collection {
    const fn file_name(self) -> &'static str {
        match self {
            Self::Rekordbox => "rekordbox.xml",
            Self::Traktor => "collection.nml",
        }
    }
}

/// What is written about one song.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document {
    TempoMap,
    Labels,
    Analysis,
    Cues,
    Page,
}

impl Document {
    const fn file_name(self) -> &'static str {
        match self {
            Self::TempoMap => "tempo and sections.mid",
            Self::Labels => "labels.txt",
            Self::Analysis => "analysis.json",
            Self::Cues => "cues.json",
            Self::Page => "report.html",
        }
    }
}

impl PlannedFile {
    fn kept(path: String, blob: Blob) -> Self {
        Self { path, size_bytes: Some(blob.size_bytes), content: Content::Kept(blob) }
    }

    fn made(path: String, content: Content) -> Self {
        Self { path, size_bytes: None, content }
    }
}

impl Conversion {
    /// Whether anything about a file changes, apart from its loudness.
    fn changes_files(&self) -> bool {
        self.format.is_some() || self.bit_depth.is_some() || self.sample_rate_hz.is_some()
    }

    /// How a stem is written whose file has this ending and so many bits.
    pub(crate) fn encode(&self, ending: &str, bits_per_sample: Option<u32>) -> AudioResult<EncodeOptions> {
        let name = self.format.as_deref().unwrap_or(ending);
        let format = AudioFormat::named(name).ok_or_else(|| {
            let names = AudioFormat::ALL.map(AudioFormat::extension).join(", ");
            crate::Error::new(
                crate::ErrorKind::InvalidOption,
                format!("stems cannot be {name:?}; there are {names}"),
            )
        })?;
        let own =
            if bits_per_sample.is_some_and(|bits| bits > 16) { BitDepth::Int24 } else { BitDepth::Int16 };
        Ok(EncodeOptions::new(format).bit_depth(self.bit_depth.unwrap_or(own)))
    }

    /// # Errors
    /// `Invalid` for what no stem could be written as.
    fn check(&self) -> LibraryResult<()> {
        if let Some(rate) = self.sample_rate_hz.filter(|rate| !RATES_HZ.contains(rate)) {
            return Err(invalid(format!("sample_rate_hz is one of {RATES_HZ:?}, not {rate}")));
        }
        if let Some(lufs) = self.loudness_lufs.filter(|lufs| !LOUDNESS_LUFS.contains(lufs)) {
            return Err(invalid(format!("loudness_lufs is -40 to 0, not {lufs}")));
        }
        let spec = AudioSpec { sample_rate_hz: self.sample_rate_hz.unwrap_or(RATES_HZ[0]), channels: 2 };
        let checked = self.encode("flac", None).and_then(|options| options.check(spec));
        checked.map_err(|error| invalid(error.to_string()))
    }

    /// How much louder the stems of a song become, and whether that is less than was asked for.
    fn gain_db(&self, song: &Track, stems: &[LibraryStem]) -> (f64, bool) {
        let lufs = song.analysis.as_ref().and_then(|analysis| analysis.lufs);
        let (Some(wanted), Some(lufs)) = (self.loudness_lufs, lufs) else { return (0.0, false) };
        let gain = wanted - lufs;
        let peak = stems.iter().filter_map(|stem| stem.peak_dbfs).fold(f64::NEG_INFINITY, f64::max);
        if self.bit_depth == Some(BitDepth::Float32) || peak + gain <= CEILING_DBFS {
            return (gain, false);
        }
        ((CEILING_DBFS - peak).min(gain), true)
    }
}

impl PackageOrder {
    fn check(&self) -> LibraryResult<()> {
        if !(1..=MOST_TRACKS).contains(&self.tracks.len()) {
            return Err(invalid(format!(
                "a package has 1 to {MOST_TRACKS} songs, not {}",
                self.tracks.len()
            )));
        }
        let is_rooted = |folder: &String| {
            folder.starts_with('/') || folder.get(1..3).is_some_and(|at| at == ":\\" || at == ":/")
        };
        if self.target.collection().is_some() && !self.folder.as_ref().is_some_and(is_rooted) {
            return Err(invalid(format!(
                "{} finds songs by their full path: say in which folder you will unpack this, for example \
                 /Users/ann/Music/SFA or C:\\Music\\SFA",
                self.target.name()
            )));
        }
        self.stems.check()
    }

    /// The name of the archive.
    pub(crate) fn archive_name(&self) -> String {
        format!("{}.zip", naming::safe_name(&self.name))
    }

    /// The path that a file of the package has once it is unpacked.
    fn unpacked(&self, path: &str) -> String {
        let folder = self.folder.as_deref().unwrap_or_default();
        if folder.starts_with('/') {
            return format!("{}/{path}", folder.trim_end_matches('/'));
        }
        format!("{}\\{}", folder.trim_end_matches(['/', '\\']), path.replace('/', "\\"))
    }
}

/// Says what a package holds.
///
/// # Errors
/// `NotFound` for songs that the user has not; `Invalid` for an order that nobody could fill.
pub(crate) async fn plan(
    database: &dyn Database,
    scope: Scope,
    order: &PackageOrder,
) -> LibraryResult<PackagePlan> {
    order.check()?;
    let mut songs = Vec::with_capacity(order.tracks.len());
    for id in &order.tracks {
        songs.push(database.track(scope, *id).await?);
    }
    let plan = match order.target {
        Target::Rekordbox | Target::Traktor | Target::Serato | Target::Playlist => of_music(order, &songs),
        Target::Daw | Target::Stems | Target::Report => of_folders(database, scope, order, &songs).await?,
    };
    Ok(plan)
}

/// The songs themselves in one folder, and one file about all of them.
fn of_music(order: &PackageOrder, songs: &[Track]) -> PackagePlan {
    let mut plan = PackagePlan::default();
    let mut named: Vec<_> = songs.iter().map(|song| (naming::safe_name(&song.file_name), song)).collect();
    file_names::make_unique(&mut named);
    let (mut unknown, mut untagged) = (0, 0);
    for (name, song) in &mut named {
        *name = format!("{MUSIC}/{name}");
        let blob = Blob { hash: song.blob.clone(), size_bytes: song.size_bytes };
        unknown += usize::from(song.analysis.is_none());
        let is_tagged = order.target == Target::Serato && song.analysis.is_some();
        let takes_tags = SeratoTags::fit(name);
        untagged += usize::from(is_tagged && !takes_tags);
        plan.files.push(if is_tagged && takes_tags {
            PlannedFile::made(name.clone(), Content::Tagged(blob, song.id))
        } else {
            PlannedFile::kept(name.clone(), blob)
        });
    }
    if order.target != Target::Playlist {
        let place = order.target.collection().map_or("its own file", Collection::file_name);
        plan.note_lack(
            unknown,
            &format!("was not analysed, so that nothing about it is in {place}: analyse first"),
        );
        plan.note_lack(
            untagged,
            "is in a format that holds no cues of Serato: only MP3, AIFF, WAV, FLAC and M4A do",
        );
    }
    if let Some(collection) = order.target.collection() {
        let known = named.iter().filter(|(_, song)| song.analysis.is_some());
        let places: Vec<_> = known.map(|(path, song)| (song.id, order.unpacked(path))).collect();
        if !places.is_empty() {
            let content = Content::Collection(collection, places);
            plan.files.push(PlannedFile::made(collection.file_name().to_owned(), content));
        }
    } else {
        let entries: Vec<_> = named
            .iter()
            .map(|(path, song)| PlaylistEntry {
                path: path.clone(),
                artist: song.artist.clone(),
                title: song.title.clone(),
                duration_secs: song.duration_ms.map_or(0.0, |duration| duration as f64 / 1000.0),
            })
            .collect();
        let name = format!("{}.m3u8", naming::safe_name(&order.name));
        let text = export::m3u8(&entries);
        let size_bytes = i64::try_from(text.len()).ok();
        plan.files.push(PlannedFile { path: name, size_bytes, content: Content::Text(text) });
    }
    plan
}

/// A folder for each song.
async fn of_folders(
    database: &dyn Database,
    scope: Scope,
    order: &PackageOrder,
    songs: &[Track],
) -> LibraryResult<PackagePlan> {
    let settings = Settings::from_json(database.settings(scope).await?)?;
    let names = FileNames::new(&settings.stem_names)?;
    let mut plan = PackagePlan::default();
    let (mut stemless, mut unmeasured, mut quieter) = (0, 0, 0);
    let mut folders: Vec<_> = songs.iter().map(|song| (shown_name(song), song)).collect();
    file_names::make_unique(&mut folders);
    for (folder, song) in &folders {
        let is_measured = song.analysis.is_some();
        if order.target != Target::Report {
            let stems = of_one_engine(database.stems(scope, song.id).await?);
            stemless += usize::from(stems.is_empty());
            let (gain_db, is_limited) = order.stems.gain_db(song, &stems);
            quieter += usize::from(is_limited);
            plan.add_stems(folder, song, stems, &names, &order.stems, gain_db);
        }
        let documents: &[Document] = match order.target {
            Target::Daw => &[Document::TempoMap, Document::Labels],
            Target::Report => &[Document::Page, Document::Analysis, Document::Cues],
            _ => &[],
        };
        let needs_analysis = !documents.is_empty() || order.stems.loudness_lufs.is_some();
        unmeasured += usize::from(needs_analysis && !is_measured);
        for document in documents.iter().filter(|_| is_measured) {
            let path = format!("{folder}/{}", document.file_name());
            plan.files.push(PlannedFile::made(path, Content::Document(*document, song.id)));
        }
        if order.target == Target::Daw {
            let notes = database.exports(scope, song.id).await?;
            plan.files.extend(notes.into_iter().filter(|file| file.step == Step::Midi).map(|file| {
                PlannedFile::kept(format!("{folder}/MIDI/{}", naming::safe_name(&file.name)), file.blob)
            }));
        }
    }
    plan.note_lack(stemless, "has no stems: separate first");
    plan.note_lack(
        unmeasured,
        "was not analysed, so that its loudness, tempo and sections are not known: analyse first",
    );
    plan.note_lack(
        quieter,
        "stays below the loudness, since a stem would be above full scale; 32-bit floats have no such limit",
    );
    Ok(plan)
}

impl PackagePlan {
    fn note_lack(&mut self, count: usize, what: &str) {
        match count {
            0 => {}
            1 => self.notes.push(format!("1 song {what}")),
            _ => self.notes.push(format!("{count} songs: each {what}")),
        }
    }

    fn add_stems(
        &mut self,
        folder: &str,
        song: &Track,
        stems: Vec<LibraryStem>,
        names: &FileNames,
        conversion: &Conversion,
        gain_db: f64,
    ) {
        let is_kept = !conversion.changes_files() && gain_db == 0.0;
        let named = |stem: LibraryStem| {
            let name = names.of(song, &stem);
            match &conversion.format {
                Some(format) => (format!("{}.{format}", naming::file_stem(&name)), stem),
                None => (name, stem),
            }
        };
        let mut stems: Vec<_> = stems.into_iter().map(named).collect();
        file_names::make_unique(&mut stems);
        self.files.extend(stems.into_iter().map(|(name, stem)| {
            let path = format!("{folder}/{name}");
            if is_kept {
                return PlannedFile::kept(path, stem.blob);
            }
            PlannedFile::made(path, Content::Converted { stem: Box::new(stem), gain_db })
        }));
    }
}

/// The stems of one engine, the one that made most of them: those of several would add up to more than the song.
fn of_one_engine(stems: Vec<LibraryStem>) -> Vec<LibraryStem> {
    let count = |engine: &str| stems.iter().filter(|stem| stem.engine == engine).count();
    let best = stems.iter().map(|stem| stem.engine.clone()).max_by_key(|engine| count(engine));
    stems.into_iter().filter(|stem| Some(&stem.engine) == best.as_ref()).collect()
}

fn shown_name(song: &Track) -> String {
    match naming::shown(song.artist.as_deref()) {
        Some(artist) => naming::safe_name(&format!("{artist} - {}", song.title)),
        None => naming::safe_name(&song.title),
    }
}

fn invalid(message: impl Into<String>) -> LibraryError {
    LibraryError::new(LibraryErrorKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{AnalysisSummary, TrackStatus};

    fn song(lufs: f64) -> Track {
        Track {
            id: TrackId::random(),
            title: "Run".to_owned(),
            artist: Some("Ada".to_owned()),
            album: None,
            file_name: "run.mp3".to_owned(),
            blob: "0".repeat(64),
            size_bytes: 7,
            duration_ms: Some(61_000),
            created_at_ms: 0,
            analysis: Some(AnalysisSummary {
                bpm: None,
                key: None,
                camelot: None,
                energy: None,
                lufs: Some(lufs),
            }),
            status: TrackStatus::Ready,
        }
    }

    fn stem(engine: &str, kind: &str, peak_dbfs: f64) -> LibraryStem {
        LibraryStem {
            kind: kind.to_owned(),
            engine: engine.to_owned(),
            take: String::new(),
            file_name: format!("{kind}.flac"),
            blob: Blob { hash: "1".repeat(64), size_bytes: 5 },
            peak_dbfs: Some(peak_dbfs),
            rms_dbfs: None,
        }
    }

    fn order(target: Target) -> PackageOrder {
        PackageOrder {
            target,
            tracks: vec![TrackId::random()],
            name: "Friday: late".to_owned(),
            folder: Some("/Users/ann/Music/".to_owned()),
            stems: Conversion::default(),
        }
    }

    fn paths(plan: &PackagePlan) -> Vec<&str> {
        plan.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn songs_of_one_name_stay_apart_and_keep_their_order() {
        let plan = of_music(&order(Target::Playlist), &[song(-9.0), song(-9.0)]);
        assert_eq!(paths(&plan), ["Music/run.mp3", "Music/run (2).mp3", "Friday_ late.m3u8"]);
        let Content::Text(list) = &plan.files[2].content else { panic!("{:?}", plan.files[2]) };
        assert!(list.contains("#EXTINF:61,Ada - Run\nMusic/run (2).mp3\n"), "{list}");
    }

    #[test]
    fn a_collection_names_songs_where_they_will_be() {
        let mut unknown = song(-9.0);
        unknown.analysis = None;
        let plan = of_music(&order(Target::Rekordbox), &[song(-9.0), unknown]);
        let Content::Collection(Collection::Rekordbox, places) = &plan.files[2].content else {
            panic!("{:?}", plan.files[2])
        };
        assert_eq!(places.len(), 1);
        assert_eq!(places[0].1, "/Users/ann/Music/Music/run.mp3");
        assert!(plan.notes[0].starts_with("1 song was not analysed"), "{:?}", plan.notes);
        let windows = PackageOrder { folder: Some("C:\\Sets\\".to_owned()), ..order(Target::Rekordbox) };
        assert_eq!(windows.unpacked("Music/a.mp3"), "C:\\Sets\\Music\\a.mp3");
    }

    #[test]
    fn cues_go_into_the_songs_that_can_hold_them() {
        let (mut vorbis, mut unknown) = (song(-9.0), song(-9.0));
        vorbis.file_name = "run.ogg".to_owned();
        unknown.analysis = None;
        let plan = of_music(&order(Target::Serato), &[song(-9.0), vorbis, unknown]);
        assert_eq!(
            paths(&plan),
            ["Music/run.mp3", "Music/run.ogg", "Music/run (2).mp3", "Friday_ late.m3u8"]
        );
        let is_tagged = |file: &PlannedFile| matches!(file.content, Content::Tagged(..));
        assert_eq!(plan.files.iter().map(is_tagged).collect::<Vec<_>>(), [true, false, false, false]);
        assert!(plan.notes[0].starts_with("1 song was not analysed"), "{:?}", plan.notes);
        assert!(plan.notes[1].contains("holds no cues"), "{:?}", plan.notes);
    }

    #[test]
    fn one_gain_serves_all_stems_as_far_as_they_fit() {
        let stems = [stem("classic", "drums", -3.0), stem("classic", "bass", -8.0)];
        let conversion =
            |bit_depth| Conversion { loudness_lufs: Some(-8.0), bit_depth, ..Conversion::default() };
        let gain = |lufs, bit_depth| conversion(bit_depth).gain_db(&song(lufs), &stems);
        assert_eq!(gain(-10.0, None), (2.0, false));
        assert_eq!(gain(-6.0, None), (-2.0, false));
        let (limited, is_limited) = gain(-14.0, None);
        assert!(is_limited && (limited - 2.9).abs() < 1e-9, "{limited}");
        assert_eq!(gain(-14.0, Some(BitDepth::Float32)), (6.0, false));
        // What does not even fit at the loudness that was asked for becomes as quiet as fits.
        assert_eq!(conversion(None).gain_db(&song(-6.0), &[stem("a", "drums", 3.0)]).0, -3.1);
    }

    #[test]
    fn stems_of_several_engines_are_not_mixed() {
        let stems =
            vec![stem("classic", "drums", 0.0), stem("demucs", "drums", 0.0), stem("demucs", "bass", 0.0)];
        let kept: Vec<_> = of_one_engine(stems).into_iter().map(|stem| stem.engine).collect();
        assert_eq!(kept, ["demucs", "demucs"]);
        assert!(of_one_engine(Vec::new()).is_empty());
    }

    #[test]
    fn orders_that_nobody_could_fill_are_refused() {
        let refused = |order: PackageOrder, expected: &str| {
            let message = order.check().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        refused(PackageOrder { tracks: Vec::new(), ..order(Target::Stems) }, "1 to 200");
        refused(PackageOrder { folder: None, ..order(Target::Rekordbox) }, "in which folder");
        refused(
            PackageOrder { folder: Some("Music".to_owned()), ..order(Target::Rekordbox) },
            "in which folder",
        );
        let with = |stems| PackageOrder { stems, ..order(Target::Stems) };
        let format = |name: &str| Some(name.to_owned());
        refused(with(Conversion { format: format("ogg"), ..Conversion::default() }), "wav, flac");
        refused(with(Conversion { sample_rate_hz: Some(1), ..Conversion::default() }), "44100");
        refused(with(Conversion { loudness_lufs: Some(f64::NAN), ..Conversion::default() }), "-40 to 0");
        let floats = Conversion {
            format: format("flac"),
            bit_depth: Some(BitDepth::Float32),
            ..Conversion::default()
        };
        refused(with(floats), "FLAC");
        order(Target::Stems).check().unwrap();
    }
}
