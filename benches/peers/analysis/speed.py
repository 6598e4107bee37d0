"""Times `sfa analyze` against the same questions on librosa and essentia, side by side on one core.

    python3 -m venv venv && venv/bin/pip install librosa==0.11.0 essentia
    venv/bin/python benches/peers/analysis/speed.py SFA SONG [ROUNDS] [core|all|pulse]

SFA is a release binary, SONG a stereo song of about three minutes. Both read the file themselves. `core` asks for tempo,
key, energy, spectral shape, MFCC, chroma and structure, `all` for everything that librosa's users build of it: loop
points, arrangement, energy curve, cues, onsets and harmonic-percussive separation as well. The librosa side does what the
analyser that this one replaces does, function by function. librosa's compiled parts are warm; its import is not counted.
`pulse` asks for tempo and key alone, which essentia answers with its multi-feature beats and its key extractor.

Every round runs each contestant once, so that whatever else the machine does disturbs all of them alike. Prints medians of
processor time, which other work on the machine disturbs less than the clock on the wall.
"""
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

CORE = "tempo,key,energy,spectral,mfcc,chroma,structure"
ALL = "all"
PULSE = "tempo,key"
PEERS = {"core": "librosa", "all": "librosa", "pulse": "essentia"}


def core_set(librosa, numpy, y, rate):
    feature = librosa.feature
    librosa.beat.beat_track(y=y, sr=rate)
    feature.chroma_stft(y=y, sr=rate).mean(1)
    feature.rms(y=y), feature.zero_crossing_rate(y)
    for function in (feature.spectral_centroid, feature.spectral_rolloff, feature.spectral_bandwidth,
                     feature.spectral_contrast):
        function(y=y, sr=rate).mean(1)
    feature.spectral_flatness(y=y)
    feature.mfcc(y=y, sr=rate, n_mfcc=13)
    feature.chroma_stft(y=y, sr=rate), feature.chroma_cqt(y=y, sr=rate), feature.chroma_cens(y=y, sr=rate)
    structure(librosa, numpy, y, rate)


def structure(librosa, numpy, y, rate):
    """Beats, self-similarity of chroma, novelty along its diagonal, and what labels the segments."""
    import scipy.signal
    librosa.beat.beat_track(y=y, sr=rate)
    chroma = librosa.feature.chroma_cqt(y=y, sr=rate, hop_length=4096)
    similarity = librosa.segment.recurrence_matrix(chroma, mode="affinity", metric="cosine", sparse=False)
    size = max(4, min(32, similarity.shape[0] // 4)) // 2 * 2
    sign = numpy.r_[-numpy.ones(size // 2), numpy.ones(size // 2)]
    novelty = abs(numpy.diag(scipy.signal.convolve2d(similarity, numpy.outer(sign, sign), mode="same")))
    smooth = numpy.convolve(novelty, scipy.signal.windows.hann(9), mode="same")
    peaks, _ = scipy.signal.find_peaks(smooth, height=smooth.mean() + 0.5 * smooth.std())
    borders = numpy.r_[0, peaks, len(smooth)] * 4096
    for start, end in zip(borders, borders[1:]):
        librosa.feature.rms(y=y[start:end])
        if end - start > 2048:
            librosa.feature.chroma_stft(y=y[start:end], sr=rate).mean(1)
    return borders


def everything(librosa, numpy, y, rate):
    core_set(librosa, numpy, y, rate)
    feature = librosa.feature
    # Arrangement: keys of windows of 4 s, gradients of level and bandwidth; cues run it once more.
    for _ in range(2):
        for start in range(0, len(y) - 4 * rate, 2 * rate):
            feature.chroma_stft(y=y[start:start + 4 * rate], sr=rate).mean(1)
        feature.rms(y=y, frame_length=rate, hop_length=rate)
        for start in range(0, len(y) - 2 * rate, 2 * rate):
            feature.spectral_bandwidth(y=y[start:start + 2 * rate], sr=rate)
        structure(librosa, numpy, y, rate)
    # Loop points: both ends of every loop of 1 to 16 bars, half a second each.
    _, beats = librosa.beat.beat_track(y=y, sr=rate)
    bars = librosa.frames_to_samples(beats)[::4]
    half = rate // 2
    for index, start in enumerate(bars):
        for length in (1, 2, 4, 8, 16):
            if index + length < len(bars) and bars[index + length] + half <= len(y):
                for at in (start, bars[index + length]):
                    window = y[at:at + half]
                    feature.chroma_cqt(y=window, sr=rate).mean(1)
                    feature.rms(y=window), feature.spectral_centroid(y=window, sr=rate)
    feature.rms(y=y, hop_length=half)
    librosa.onset.onset_detect(y=y, sr=rate, backtrack=True, delta=0.2)
    _, percussive = librosa.decompose.hpss(numpy.abs(librosa.stft(y)))
    feature.tempogram(y=y, sr=rate)


def librosa_run(kind, path):
    """In a process of its own: one short warm-up, one timed run from the file."""
    import warnings

    import librosa
    import numpy
    warnings.filterwarnings("ignore")
    run = core_set if kind == "core" else everything
    y, rate = librosa.load(path, sr=None, mono=True, duration=35)
    run(librosa, numpy, y, rate)
    started = time.process_time()
    y, rate = librosa.load(path, sr=None, mono=True)
    run(librosa, numpy, y, rate)
    print(json.dumps(time.process_time() - started))


def essentia_run(path):
    """Tempo, beats and key from the file; the import is not counted."""
    import essentia
    import essentia.standard
    essentia.log.infoActive = False
    started = time.process_time()
    samples = essentia.standard.MonoLoader(filename=path)()
    essentia.standard.RhythmExtractor2013(method="multifeature")(samples)
    essentia.standard.KeyExtractor()(samples)
    print(json.dumps(time.process_time() - started))


def measured(command):
    """Processor seconds as the command reports them or as seen from outside, and its peak memory in MiB."""
    found = subprocess.run(["taskset", "-c", "0", "/usr/bin/time", "-f", "used %U %S %M"] + [str(part) for part in command],
                           capture_output=True, text=True, check=True, env=dict(
                               os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NUMBA_NUM_THREADS="1",
                               RAYON_NUM_THREADS="1"))
    user, system, peak = found.stderr.rsplit("used ", 1)[1].split()
    reports_itself = "--librosa" in command or "--essentia" in command
    return (json.loads(found.stdout) if reports_itself else float(user) + float(system)), int(peak) / 1024


def main(arguments):
    if arguments[0] == "--librosa":
        return librosa_run(arguments[1], arguments[2])
    if arguments[0] == "--essentia":
        return essentia_run(arguments[1])
    sfa, song = Path(arguments[0]).resolve(), arguments[1]
    rounds = int(arguments[2]) if len(arguments) > 2 else 3
    sets = {"core": CORE, "all": ALL, "pulse": PULSE}
    if len(arguments) > 3:
        sets = {arguments[3]: sets[arguments[3]]}
    me = [sys.executable, __file__]
    contestants = {}
    for kind, features in sets.items():
        contestants[f"{kind}, ours"] = [sfa, "analyze", song, "--features", features, "--json"]
        peer = ["--essentia", song] if kind == "pulse" else ["--librosa", kind, song]
        contestants[f"{kind}, {PEERS[kind]}"] = me + peer
    runs = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, command in contestants.items():
            runs[name].append(measured(command))
    print("| contestant | median s | min | max | peak MiB |\n|---|---|---|---|---|")
    for name, row in runs.items():
        secs = [run[0] for run in row]
        print(f"| {name} | {statistics.median(secs):.3f} | {min(secs):.3f} | {max(secs):.3f} | {max(run[1] for run in row):.0f} |")
    for kind in sets:
        ours, theirs = (statistics.median(run[0] for run in runs[f"{kind}, {who}"]) for who in ("ours", PEERS[kind]))
        print(f"{kind}: {theirs / ours:.1f} times as fast as {PEERS[kind]}")


if __name__ == "__main__":
    main(sys.argv[1:])
