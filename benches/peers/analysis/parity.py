"""Compares `sfa analyze --frames` with librosa, feature by feature.

    python3 -m venv venv && venv/bin/pip install librosa==0.11.0
    venv/bin/python benches/peers/analysis/parity.py SFA FILE... [--secs N]

SFA is the binary. FILE is anything that libsndfile reads, or raw mono float32 named `*44.f32`, `*22.f32` (else 44.1 kHz).
Both sides get the same samples as a float WAV: the mean of the channels, cut to N seconds (default 30). Prints one row per
feature: in how many files it is within tolerance, the largest difference and in which file. Exits with 1 if one is out.

A difference is not counted where librosa itself finds something else in double precision, of samples nudged by less
than their rounding: the tuning of a click, neighbours among equal frames. Frames below -80 dBFS are left out where a
feature only looks at the shape of a spectrum: there the rounding of the transform itself is what is compared. The
recurrence is compared on our chroma, which has its own row. Onsets, tempo and beats must be equal.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import librosa
import numpy
import soundfile

warnings.filterwarnings("ignore")
QUIET_RMS = 1e-4


def load(path, secs):
    if path.suffix == ".f32":
        rate = 22050 if path.stem.endswith("22") else 44100
        return numpy.fromfile(path, "<f4")[:int(secs * rate)], rate
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True, frames=-1)
    return samples[:int(secs * rate)].mean(axis=1), rate


def reference(y, rate, chroma):
    """Everything by its name in the archive, with librosa's defaults; the recurrence is that of `chroma`."""
    feature = librosa.feature
    spectrum = numpy.abs(librosa.stft(y))
    mel_db = librosa.power_to_db(feature.melspectrogram(y=y, sr=rate))
    out = {
        "rms": feature.rms(y=y),
        "zero_crossing_rate": feature.zero_crossing_rate(y),
        "spectral_centroid": feature.spectral_centroid(y=y, sr=rate),
        "spectral_bandwidth": feature.spectral_bandwidth(y=y, sr=rate),
        "spectral_rolloff": feature.spectral_rolloff(y=y, sr=rate),
        "spectral_flatness": feature.spectral_flatness(y=y),
        "mel_db": mel_db,
        "mfcc": feature.mfcc(y=y, sr=rate, n_mfcc=13),
        "chroma_stft": feature.chroma_stft(y=y, sr=rate),
        "onset_strength": librosa.onset.onset_strength(y=y, sr=rate),
        "onset_strength_median": librosa.onset.onset_strength(y=y, sr=rate, aggregate=numpy.median),
        "tuning": numpy.array([librosa.estimate_tuning(S=spectrum**2, sr=rate)]),
        "tuning_cqt": numpy.array([librosa.estimate_tuning(y=y, sr=rate, bins_per_octave=36)]),
    }
    out["tempogram"] = feature.tempogram(onset_envelope=out["onset_strength"], sr=rate)
    out["harmonic"], out["percussive"] = librosa.decompose.hpss(spectrum)
    optional = {
        "spectral_contrast": lambda: feature.spectral_contrast(y=y, sr=rate),
        "chroma_cqt": lambda: feature.chroma_cqt(y=y, sr=rate),
        "chroma_cens": lambda: feature.chroma_cens(y=y, sr=rate),
        "recurrence": lambda: librosa.segment.recurrence_matrix(chroma, mode="affinity", metric="cosine"),
    }
    for name, make in optional.items():
        try:
            out[name] = make()
        except librosa.util.exceptions.ParameterError as error:
            print(f"librosa has no {name}: {error}", file=sys.stderr)
    tempo, beats = librosa.beat.beat_track(y=y, sr=rate)
    out["tempo"] = numpy.atleast_1d(tempo)
    out["beats"] = beats
    out["onsets"] = librosa.onset.onset_detect(y=y, sr=rate)
    return out


def measured(sfa, wav, work):
    archive = work / "frames.npz"
    found = subprocess.run([sfa, "analyze", wav, "--features", FEATURES, "--frames", archive, "--json"],
                           check=True, capture_output=True, text=True)
    report = json.loads(found.stdout)["analysis"]["descriptors"]
    out = dict(numpy.load(archive))
    track = report.get("beat_track") or {"bpm": 0.0, "frames": []}
    out["tempo"], out["beats"] = numpy.array([track["bpm"]]), numpy.array(track["frames"])
    out["onsets"] = numpy.array(report["onsets"]["onset_times"])
    out["tuning"] = numpy.array([report["chroma"]["tuning"]])
    out["tuning_cqt"] = numpy.array([report["chroma"]["tuning_cqt"]])
    return out


def nudged(y):
    return y.astype(float) * (1 + 1e-10 * numpy.random.default_rng(0).standard_normal(y.shape))


FEATURES = "spectral,mfcc,chroma,onsets,tempogram,beat_track,hpss,recurrence"
# Largest difference of a frame, and of the mean over time; relative to the largest value where marked. None: not held to.
TOLERANCES = {
    "rms": (1e-6, 1e-6, True),
    "zero_crossing_rate": (1 / 2048 + 1e-9, 1e-6, False),
    "spectral_centroid": (0.05, 0.01, False),
    "spectral_bandwidth": (0.05, 0.01, False),
    "spectral_rolloff": ("bin", 1e-4, False),
    "spectral_flatness": (1e-6, 1e-6, False),
    "spectral_contrast": (1e-3, 1e-3, False),
    "mel_db": (1e-3, 1e-3, False),
    "mfcc": (1e-3, 1e-3, False),
    "chroma_stft": (1e-4, 1e-4, False),
    "chroma_cqt": (1e-3, 1e-4, False),
    "chroma_cens": (None, 2e-3, False),
    "onset_strength": (1e-4, 1e-4, False),
    "onset_strength_median": (1e-4, 1e-4, False),
    "tempogram": (1e-3, 1e-3, False),
    "harmonic": (1e-5, 1e-5, True),
    "percussive": (1e-5, 1e-5, True),
    "recurrence": (1e-3, 1e-3, False),
    "tuning": (1e-9, 1e-9, False),
    "tuning_cqt": (1e-9, 1e-9, False),
    # The report has six decimals.
    "tempo": (1e-6, 1e-6, False),
    "beats": (0, 0, False),
    "onsets": (1e-6, 1e-6, False),
}
SHAPES = {"spectral_centroid", "spectral_bandwidth", "spectral_rolloff", "spectral_flatness", "spectral_contrast",
          "chroma_stft", "chroma_cqt", "recurrence"}


def compare(name, expected, found, loud, rate):
    """The differences of frames and of means, and whether both are within tolerance."""
    if name == "onsets":
        expected = librosa.frames_to_time(expected, sr=rate)
    if expected.ndim == 1 and found.ndim == 2:
        found = found[0]
    if expected.shape != found.shape:
        return numpy.inf, numpy.inf, False
    if expected.size == 0:
        return 0.0, 0.0, True
    expected, found = expected.astype(float), found.astype(float)
    frame_tolerance, mean_tolerance, relative = TOLERANCES[name]
    if frame_tolerance == "bin":
        frame_tolerance = rate / 2048 * 1.001
    if name in SHAPES and name != "recurrence" and loud.any():
        expected, found = expected[..., loud], found[..., loud]
    scale = max(abs(expected).max(), 1e-30) if relative else 1.0
    frame = abs(expected - found).max() / scale
    mean = abs(expected.mean(-1) - found.mean(-1)).max() / scale
    if name == "spectral_rolloff":
        mean /= max(expected.mean(), 1e-30)
    good = (frame_tolerance is None or frame <= frame_tolerance) and mean <= mean_tolerance
    return frame, mean, bool(good)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sfa", type=Path)
    parser.add_argument("audio", type=Path, nargs="+")
    parser.add_argument("--secs", type=float, default=30)
    arguments = parser.parse_args()
    rows = {name: [] for name in TOLERANCES}
    for path in arguments.audio:
        y, rate = load(path, arguments.secs)
        with tempfile.TemporaryDirectory() as work:
            work = Path(work)
            soundfile.write(work / "mono.wav", y, rate, subtype="FLOAT")
            found = measured(arguments.sfa.resolve(), work / "mono.wav", work)
        chroma = found.get("chroma_cqt", numpy.zeros((12, 1)))[:, ::8]
        expected, precise = reference(y, rate, chroma), reference(nudged(y), rate, nudged(chroma))
        loud = expected["rms"][0] > QUIET_RMS
        if loud.mean() < 0.5:
            # All silent frames are equally far from each other.
            expected.pop("recurrence", None)
        if expected["spectral_flatness"][0][loud].mean() > 0.9:
            # The spectrum of a click is flat: its peaks are the rounding of the transform.
            for name in ("tuning", "tuning_cqt", "chroma_stft", "chroma_cqt", "chroma_cens", "recurrence"):
                expected.pop(name, None)
        for name, values in expected.items():
            row = (*compare(name, values, found.get(name, numpy.empty(0)), loud, rate), path.name)
            if not row[2]:
                again = precise[name] if name != "onsets" else librosa.frames_to_time(precise[name], sr=rate)
                defined = compare(name, values, again, loud, rate)[2]
                print(f"{path.name}: {name} differs by {row[0]:.2e}, its mean by {row[1]:.2e}"
                      + ("" if defined else ": not counted, librosa disagrees with itself"), flush=True)
                if not defined:
                    continue
            rows[name].append(row)
    print("| feature | within | largest difference of a frame | of a mean | worst file |\n|---|---|---|---|---|")
    for name, row in rows.items():
        if row:
            worst = max(row, key=lambda entry: entry[0])
            mean = max(entry[1] for entry in row)
            print(f"| {name} | {sum(e[2] for e in row)} of {len(row)} | {worst[0]:.1e} | {mean:.1e} | {worst[3]} |")
    sys.exit(any(not entry[2] for row in rows.values() for entry in row))


if __name__ == "__main__":
    main()
