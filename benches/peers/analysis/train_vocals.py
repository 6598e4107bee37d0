"""Learns how voices differ from instruments; writes sfa-audio/src/analyze/vocals/model.rs.

    python train_vocals.py FOLDER... [--sung FILE...] [--unsung FILE...] --out model.rs

FOLDER holds songs with known truth (mix.flac and truth.json, as songs.py makes them; songs of another generator help
more than more songs of one). --sung and --unsung are recordings in which somebody sings all the time, and never. What is
computed here per bar is what analyze/vocals computes: change both together. Levels and vowels themselves are left out,
as they are those of the generator. Needs numpy, scipy and soundfile. Prints how it does on songs it did not learn from.
"""

import argparse
import json
import pathlib

import numpy as np
import soundfile
from scipy.signal import firwin, resample_poly, upfirdn

RATE, WINDOW, HOP, FRAMES = 44100 / 4, 1024, 220, 5
LOW, HIGH, MOVING = 18, 251, 37
BANDS, LOW_HZ, HIGH_HZ = 13, 150.0, 2700.0
COLUMNS_PER_SEC = RATE / HOP / FRAMES
WEIGHT_OF_RECORDINGS = 1.0


def slow(path):
    samples, rate = soundfile.read(path, always_2d=True, dtype="float32")
    samples = samples.mean(1)
    if rate != 44100:
        divisor = np.gcd(rate, 44100)
        samples = resample_poly(samples, 44100 // divisor, rate // divisor)
    return upfirdn(firwin(49, .25, window=("kaiser", 7.86)), samples, 1, 4)[6:]


def columns(samples):
    """Per 100 ms the 12 sums over partials, the unrest of the cepstrum, level and tonal level."""
    frames = 1 + len(samples) // HOP
    padded = np.pad(samples, (WINDOW // 2, WINDOW)).astype(np.float32)
    hann = (.5 - .5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    amplitudes = np.concatenate([
        np.abs(np.fft.rfft(padded[np.arange(start, min(frames, start + 2000))[:, None] * HOP + np.arange(WINDOW)] * hann))
        for start in range(0, frames, 2000)]) * (4 / WINDOW)
    inner = amplitudes[:, LOW:HIGH]
    left, right = amplitudes[:, LOW - 1:HIGH - 1], amplitudes[:, LOW + 1:HIGH + 1]
    is_peak = ((inner > left) & (inner >= right) & (inner > amplitudes[:, LOW - 2:HIGH - 2])
               & (inner >= amplitudes[:, LOW + 2:HIGH + 2]) & (inner > np.maximum(.03 * inner.max(1, keepdims=True), 1e-4)))
    a, b, c = (np.log(part + 1e-9) for part in (left, inner, right))
    cents = 1200 * np.log2(np.arange(LOW, HIGH) + np.where(is_peak, .5 * (a - c) / (a - 2 * b + c - 1e-9), 0))
    sums = np.array([s for s in follow(inner, is_peak, cents)])
    edges = LOW_HZ * (HIGH_HZ / LOW_HZ) ** (np.arange(BANDS + 2) / (BANDS + 1)) * WINDOW / RATE
    bins = np.arange(WINDOW // 2 + 1)[:, None]
    filters = np.clip(np.minimum((bins - edges[:-2]) / (edges[1:-1] - edges[:-2]), (edges[2:] - bins) / (edges[2:] - edges[1:-1])), 0, None)
    cosines = np.cos(np.pi * np.arange(1, 6) * (np.arange(BANDS)[:, None] + .5) / BANDS) * np.sqrt(2 / BANDS)
    cepstra = np.log(amplitudes ** 2 @ filters + 1e-7) @ cosines
    level = 10 * np.log10((inner ** 2).sum(1) + 1e-9)
    tonal = 20 * np.log10(sums[:, 0] + 1e-4)
    count = frames // FRAMES
    grouped = lambda values: values[:count * FRAMES].reshape(count, FRAMES, -1)
    own = grouped(cepstra)
    unrest = np.concatenate([np.concatenate([own[:1], own[:-1]]), own], 1).std(1)
    unrest[:1] = own[:1].std(1)
    return grouped(sums).sum(1), unrest, grouped(level).mean(1)[:, 0], grouped(tonal).mean(1)[:, 0]


def follow(inner, is_peak, cents):
    """Per spectrum: amplitude of partials, by how far they moved (4), smooth, rough, together, moving; number."""
    before, steps_before = np.zeros(0), np.zeros(0)
    for amplitudes, peaks, all_cents in zip(inner, is_peak, cents):
        at = np.nonzero(peaks)[0]
        if len(at) > 20:
            at = np.sort(at[np.argsort(-amplitudes[at], kind="stable")[:20]])
        places, heights, sums = all_cents[at], amplitudes[at], np.zeros(10)
        steps = np.full(len(at), np.nan)
        high = at + LOW >= MOVING
        sums[0], sums[9] = heights[high].sum(), len(at)
        if len(before) and len(at):
            nearest = np.abs(places[:, None] - before).argmin(1)
            moved = places - before[nearest]
            goes_on = np.abs(moved) < 80
            steps[goes_on] = moved[goes_on]
            high &= goes_on
            kinds = np.searchsorted([4, 12, 30], np.abs(moved[high]), side="right")
            sums[1:5] = np.bincount(kinds, heights[high], 4)
            last = steps_before[nearest]
            chained = high & ~np.isnan(last)
            x, y = moved[chained], last[chained]
            likeness = heights[chained] * x * y / (x * x + y * y + 32)
            sums[5], sums[6] = np.maximum(likeness, 0).sum(), np.maximum(-likeness, 0).sum()
            moving = high & (np.abs(moved) >= 4)
            sums[7], sums[8] = abs((heights[moving] * np.sign(moved[moving])).sum()), heights[moving].sum()
        yield sums
        before, steps_before = places, steps


def share(values, part):
    return np.sort(values)[int((len(values) - 1) * part)]


def rows(found, edges):
    sums, unrest, level, tonal = found
    strong, result = share(level, .95), []
    for start, end in zip(edges[:-1], edges[1:]):
        first = min(int(round(start * COLUMNS_PER_SEC)), len(sums) - 1)
        part = slice(first, min(max(first + 1, int(round(end * COLUMNS_PER_SEC))), len(sums)))
        total = sums[part].sum(0)
        shares = total / (total[0] + 1e-6)
        result.append(np.r_[
            shares[1:5].sum(), shares[1:7], total[7] / total[8] if total[8] > 1e-6 else 0,
            (level[part].mean() - strong) / 10, (tonal[part].mean() - level[part].mean()) / 10,
            (share(tonal[part], .9) - share(tonal[part], .1)) / 10, total[9] / len(sums[part]) / 50,
            np.log(unrest[part].mean(0) + .05)])
    return np.array(result)


def sung_bars(truth):
    """Edges of the bars, and whether a voice sounds for a fifth of each."""
    edges = np.array(truth["downbeats"] if len(truth.get("downbeats", [])) > 2 else truth["beats"][::4])
    sung = np.zeros(int(truth["duration"] * 100) + 200)
    for note in truth["vocal_notes"]:
        sung[int(note[0] * 100):int((note[0] + note[1]) * 100)] = 1
    return edges, np.array([sung[int(a * 100):int(b * 100)].mean() > .2 for a, b in zip(edges[:-1], edges[1:])], float)


def fit(songs, strength=3.0):
    """Logistic regression, all songs alike; weights of unscaled rows, the bias last."""
    x = np.concatenate([song[1] for song in songs])
    y = np.concatenate([song[2] for song in songs])
    weight = np.concatenate([np.full(len(song[2]), song[3] / len(song[2])) for song in songs])
    mean, deviation = x.mean(0), x.std(0) + 1e-6
    scaled = np.c_[(x - mean) / deviation, np.ones(len(x))]
    penalty = np.r_[np.full(x.shape[1], strength), 1e-6]
    weights = np.zeros(len(penalty))
    for _ in range(100):
        p = 1 / (1 + np.exp(-scaled @ weights))
        gradient = scaled.T @ (weight * (p - y)) + penalty * weights
        weights -= np.linalg.solve((scaled * (weight * p * (1 - p))[:, None]).T @ scaled + np.diag(penalty), gradient)
    own = weights[:-1] / deviation
    return np.r_[own, weights[-1] - own @ mean]


def probabilities(weights, bars):
    leaning = np.pad(bars @ weights[:-1] + weights[-1], 1, mode="edge")
    return 1 / (1 + np.exp(-(.25 * leaning[:-2] + .5 * leaning[1:-1] + .25 * leaning[2:])))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--sung", nargs="*", type=pathlib.Path, default=[])
    parser.add_argument("--unsung", nargs="*", type=pathlib.Path, default=[])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    songs = []
    for folder in arguments.folders:
        truths = sorted(folder.glob("*/truth.json"))
        for path in truths:
            edges, sung = sung_bars(json.loads(path.read_text()))
            bars = rows(columns(slow(path.parent / "mix.flac")), edges)
            songs.append((f"{folder.name}/{path.parent.name}", bars, sung, 60 * max(1, 24 / len(truths))))
    for sung, files in ((1.0, arguments.sung), (0.0, arguments.unsung)):
        for path in files:
            found = columns(slow(path))
            bars = rows(found, np.arange(0, len(found[0]) / COLUMNS_PER_SEC, 2))
            songs.append((path.name, bars, np.full(len(bars), sung), 60 * WEIGHT_OF_RECORDINGS))
    for fold in range(4):
        weights = fit([song for n, song in enumerate(songs) if n % 4 != fold])
        for name, bars, sung, _ in songs[fold::4]:
            p = probabilities(weights, bars)
            print(f"{name:32} sung {sung.mean():.2f} found {(p > .5).mean():.2f} right {((p > .5) == sung).mean():.2f}")
    weights = fit(songs)
    numbers = "".join(f"    {weight:.5},\n" for weight in weights[:-1])
    arguments.out.write_text(
        "//! Written by benches/peers/analysis/train_vocals.py.\n\nuse super::rows::NUMBERS;\n\n"
        f"pub(super) const BIAS: f32 = {weights[-1]:.5};\n"
        f"pub(super) const WEIGHTS: [f32; NUMBERS] = [\n{numbers}];\n")


if __name__ == "__main__":
    main()
