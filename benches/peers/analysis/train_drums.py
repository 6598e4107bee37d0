"""Learns what drum hits look like from songs whose truth is known; writes sfa-audio/src/analyze/drums/weights.f32.

    python train_drums.py FOLDER... --out weights.f32

FOLDER holds songs of songs.py (mix.flac, truth.json and, with --stems, stems/drums.flac). What is computed here per
stroke is what analyze/drums computes: change both together. Every song is also heard through a random
equaliser, so that nothing is learned of one generator's colours. Needs numpy, soundfile and scikit-learn.
"""

import argparse
import json
import pathlib

import numpy as np
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

WINDOW, HOP = 1024, 441
EDGES = [1, 3, 4, 6, 8, 11, 15, 21, 29, 40, 55, 76, 105, 145, 200, 277, 381]
BANDS, NOISE_FROM = 16, 4
KINDS = ("kick", "snare", "hat")
# Which of the kits' snares are claps and which are no snares at all.
CLAPS = {"house", "techno", "trance", "trap", "pop", "houseramp", "garage", "hardcore"}
PERCUSSION = {"ballad", "jazz", "waltz", "reggae", "bossa", "afro"}
HIDDEN = 12


def levels(samples):
    """Per 10 ms: the level of 16 bands, then the level of 12 bands by the geometric mean, in half decibels."""
    window = (.5 - .5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    frames = 1 + len(samples) // HOP
    padded = np.pad(samples, (WINDOW // 2, WINDOW)).astype(np.float32)
    out = np.empty((frames, 2 * BANDS - NOISE_FROM))
    for start in range(0, frames, 4000):
        at = np.arange(start, min(frames, start + 4000))
        power = np.abs(np.fft.rfft(padded[at[:, None] * HOP + np.arange(WINDOW)] * window)) ** 2 * (4 / WINDOW) ** 2
        logs = np.log(power + 1e-13)
        for band in range(BANDS):
            part = slice(EDGES[band], EDGES[band + 1])
            out[at, band] = 10 * np.log10(power[:, part].sum(1) + 1e-11)
            if band >= NOISE_FROM:
                geometric = np.exp(logs[:, part].mean(1)) * (part.stop - part.start)
                out[at, BANDS + band - NOISE_FROM] = 10 * np.log10(geometric + 1e-11)
    return np.clip(np.round((out + 110) * 2), 0, 255).astype(np.uint8)


def amplitudes(levels_now, equaliser=0.0):
    return 10 ** (np.maximum(levels_now.astype(np.float32) / 2 - 110 + equaliser, -110) / 20)


def strokes(a):
    """Frames where a stroke may be, and its time."""
    frames = len(a)
    compressed = np.log1p(a[:, :BANDS] * 2000)
    rise = np.zeros_like(compressed)
    rise[2:] = np.maximum(compressed[2:] - compressed[:-2], 0)
    groups = [rise[:, :2].mean(1), rise[:, 2:10].mean(1), rise[:, 10:].mean(1)]
    groups = [g / max(np.sort(g)[(len(g) - 1) * 98 // 100], .3) for g in groups]
    picks = []
    for g, floor in zip(groups, (.25, .25, .15)):
        padded = np.pad(g, 2)
        local = np.all([g >= padded[2 + d:frames + 2 + d] for d in (-2, -1, 1, 2)], axis=0)
        around = np.convolve(g, np.ones(21) / 21, "same") if frames > 21 else np.full(frames, g.mean())
        picks += [(g[i], -i) for i in np.nonzero(local & (g > around * 1.3 + floor))[0]]
    prominence = np.stack([np.log((np.max([np.pad(g, 2)[2 + d:frames + 2 + d] for d in (-2, -1, 0, 1, 2)], axis=0) + .02)
                                  / (np.convolve(g, np.ones(21) / 21, "same")[:frames] + .02)) for g in groups]).max(0)
    flicker = np.array([np.median(groups[2][max(0, i - 300):i + 301]) for i in range(0, frames, 50)])
    clear = 2 * np.clip((flicker - .08) / .06, 0, 1)[np.arange(frames) // 50]
    taken, found = np.zeros(frames, bool), []
    for _, minus in sorted(picks, reverse=True):
        if not taken[max(0, -minus - 3):-minus + 4].any():
            taken[-minus] = True
            found.append(-minus)
    found = np.sort(np.array(found, int))
    before, after = a[np.maximum(found - 3, 0), :BANDS], a[np.minimum(found + 1, frames - 1), :BANDS]
    found = found[np.maximum(after - 1.06 * before, 0).sum(1) >= .004 * after.sum(1)]
    found = found[(clear[found] == 0) | (prominence[found] > clear[found])]
    total = np.sum(groups, 0)
    near = np.clip(found[:, None] + np.arange(-2, 3), 0, frames - 1)
    weights = total[near] + 1e-9
    return found, (near * weights).sum(1) / weights.sum(1) * HOP / 44100


def features(a, found):
    frames = len(a)
    near = lambda low, high, how: how(np.stack([a[np.clip(found + d, 0, frames - 1)] for d in range(low, high)]), axis=0)
    db = lambda x: 20 * np.log10(x + 1e-5)
    high, low = near(-1, 3, np.max), near(-5, -2, np.mean)
    later = [near(5, 8, np.mean), near(9, 13, np.mean), near(16, 22, np.mean)]
    rise = np.maximum(high - low, 0)
    at = lambda values, share: np.sort(values, axis=0)[(len(values) - 1) * share // 100]
    reference = at(rise[:, :BANDS].sum(1), 80) + 1e-4
    own = at(rise[:, :BANDS], 90) + reference * 1e-3
    b = slice(0, BANDS)
    return np.concatenate([
        db(rise / reference) / 20,
        np.minimum(rise[:, b] / own, 2),
        (db(high[:, b]) - db(later[0][:, b])) / 20,
        (db(high[:, b]) - db(later[1][:, b])) / 20,
        (db(high[:, b]) - db(later[2][:, b]))[:, ::3] / 20,
        np.clip(db(high[:, b]) - db(low[:, b]), 0, 40) / 20,
        (db(high[:, BANDS:]) - db(high[:, NOISE_FROM:BANDS])) / 10,
    ], 1)


def apart(times):
    """Truth without what strikes at the same moment."""
    times = np.sort(np.array(times, float))
    return times[np.r_[True, np.diff(times) > .03]] if len(times) else times


def labels(at, truth):
    hits = np.zeros(len(at), int)
    for time in truth:
        nearest = np.argmin(np.abs(at - time)) if len(at) else -1
        if nearest >= 0 and abs(at[nearest] - time) < .03:
            hits[nearest] = 1
    return hits


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    rows, hits, snares, snare_kinds = [], [], [], []
    for path in sorted(p for folder in arguments.folders for p in folder.glob("*/truth.json")):
        truth = json.loads(path.read_text())
        genre = truth["genre"]
        for audio in (path.parent / "mix.flac", path.parent / "stems" / "drums.flac"):
            if not audio.exists():
                continue
            samples, _ = soundfile.read(audio, always_2d=True)
            heard = levels(samples.mean(1))
            for version in range(2):
                curve = np.interp(np.arange(BANDS), [0, 4, 8, 12, 15], rng.normal(0, 5, 5))
                equaliser = np.r_[curve, curve[NOISE_FROM:]] + rng.normal(0, 6) if version else 0.0
                a = amplitudes(heard, equaliser)
                found, at = strokes(a)
                if len(found) == 0:
                    continue
                rows.append(features(a, found))
                hits.append(np.stack([labels(at, apart(truth["onsets"].get(k, []))) for k in KINDS], 1))
                snares.append(hits[-1][:, 1] == 1)
                snare_kinds.append(np.full(len(at), 1 if genre in CLAPS else 2 if genre in PERCUSSION else 0))
    rows, hits = np.concatenate(rows), np.concatenate(hits)
    mean, deviation = rows.mean(0), rows.std(0) + 1e-6
    scaled = np.clip((rows - mean) / deviation, -4, 4)
    network = MLPClassifier((HIDDEN,), activation="tanh", alpha=2, max_iter=40, random_state=0).fit(scaled, hits)
    chosen = np.concatenate(snares)
    kinds = LogisticRegression(C=.1, max_iter=300).fit(scaled[chosen], np.concatenate(snare_kinds)[chosen])
    print(len(rows), "strokes", rows.shape[1], "features; kind of snare right", kinds.score(scaled[chosen], np.concatenate(snare_kinds)[chosen]))
    parts = [mean, 1 / deviation, network.coefs_[0].T, network.intercepts_[0], network.coefs_[1].T,
             network.intercepts_[1], kinds.coef_, kinds.intercept_]
    np.concatenate([np.asarray(p).ravel() for p in parts]).astype("<f4").tofile(arguments.out)


if __name__ == "__main__":
    main()
