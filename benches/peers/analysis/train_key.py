"""Learns how much chords say about the key; writes sfa-audio/src/analyze/key/weights.rs.

    cargo run --release -p sfa-benches --bin key_lessons -- FOLDER/*/mix.flac > lessons.jsonl
    python train_key.py lessons.jsonl [--out weights.rs] [--folds 8] [--scale 0.5] [--songs]

A song's truth.json lies beside it. A conditional logit over the 24 keys, with a penalty on large weights: what is
unlikely in the songs here must not become impossible. Every song counts once as a whole, and each of its parts a
third. Without --out, only cross-validates: the songs are dealt into folds, and each fold is judged by what the
others taught. Prints how many keys are right, MIREX's weighted score, what kinds of errors there are, and what part
of the songs is right at each confidence. Needs numpy, scipy and mir_eval.
"""

import argparse
import collections
import json
import pathlib

import mir_eval
import numpy as np
from scipy.optimize import minimize

NAMES = "C C# D D# E F F# G G# A A# B".split()
KEYS = [f"{name} {mode}" for mode in ("major", "minor") for name in NAMES]
PART_WEIGHT = 1 / 3
#: how strongly each kind of weight is held near zero
PENALTY = {"fit": .02, "shares": .3, "moves": .3, "opening": 1.}
SIZES = {"fit": 1, "shares": 48, "moves": 48, "opening": 1}


def matrix(evidence):
    """One row of features per key: chords are counted from the tonic."""
    rows = np.zeros((24, sum(SIZES.values())))
    shares, moves = np.array(evidence["shares"]), np.array(evidence["moves"])
    rows[:, 0] = evidence["fit"]

    def turned(values, tonic):
        return np.r_[np.roll(values[:12], -tonic), np.roll(values[12:], -tonic)]
    for key in range(24):
        mode, tonic = divmod(key, 12)
        rows[key, 1 + 24 * mode:][:24] = turned(shares, tonic)
        rows[key, 49 + 24 * mode:][:24] = turned(moves[:, key], tonic)
        rows[key, 97] = evidence["opening"] == key
    return rows


def probabilities(rows, weights):
    scores = rows @ weights
    likelihoods = np.exp(scores - scores.max(-1, keepdims=True))
    return likelihoods / likelihoods.sum(-1, keepdims=True)


def fit(rows, keys, counts, penalty):
    at = np.arange(len(keys))

    def loss(weights):
        found = probabilities(rows, weights)
        slope = found.copy()
        slope[at, keys] -= 1
        slope *= counts[:, None]
        return (-(counts * np.log(found[at, keys] + 1e-12)).sum() + .5 * (penalty * weights ** 2).sum(),
                np.einsum("nk,nkd->d", slope, rows) + penalty * weights)
    return minimize(loss, np.zeros(rows.shape[-1]), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x


def kind_of_error(truth, found):
    (tonic, mode), (other, other_mode) = truth.split(), found.split()
    up = (NAMES.index(other) - NAMES.index(tonic)) % 12
    if mode == other_mode:
        return {0: "right", 7: "fifth", 5: "fifth"}.get(up, "other")
    return "parallel" if up == 0 else "relative" if up == (3 if mode == "minor" else 9) else "other"


def report(name, rows):
    right = np.array([truth == found for truth, found, _ in rows])
    sure = np.array([confidence for *_, confidence in rows])
    mirex = np.mean([mir_eval.key.weighted_score(truth, found) for truth, found, _ in rows])
    errors = collections.Counter(kind_of_error(truth, found) for truth, found, _ in rows)
    errors.pop("right", None)
    print(f"{name}: {len(rows)}, exact {right.mean():.3f}, MIREX {mirex:.3f}, errors {dict(errors)}")
    edges = [0, .5, .7, .8, .9, .95, 1.01]
    for low, high in zip(edges, edges[1:]):
        chosen = (sure >= low) & (sure < high)
        if chosen.any():
            print(f"    confidence {low:.2f}-{min(high, 1):.2f}: {chosen.sum():3}, mean {sure[chosen].mean():.2f}, "
                  f"right {right[chosen].mean():.2f}")


def source(weights, songs):
    def table(name, what, values):
        rows = [f"/// {what}", f"pub(super) const {name}: [[[f32; 12]; 2]; 2] = ["]
        for mode in values.reshape(2, 24):
            rows.append("    [")
            rows += [f"        [{', '.join(f'{weight:.2f}' for weight in half)}]," for half in mode.reshape(2, 12)]
            rows.append("    ],")
        return rows + ["];"]
    return "\n".join([
        "//! What the evidence for a key weighs, in natural logarithms of odds. Made by benches/peers/analysis/train_key.py",
        f"//! from {songs} songs of songs.py.",
        "//!",
        "//! Tables hold major keys, then minor keys; in each, a row of major triads and a row of minor triads by the",
        "//! semitones of their root above the tonic.", "",
        "/// Of a perfect fit of all chroma to the profile of the key.",
        f"pub(super) const FIT: f32 = {weights[0]:.2f};",
        "/// Of beginning with the triad on the tonic.",
        f"pub(super) const OPENING: f32 = {weights[97]:.2f};",
        *table("SHARES", "Of sounding all the time, for each triad.", weights[1:49]),
        *table("MOVES", "Of all changes of chord being those from each triad to the one on the tonic.", weights[49:97]),
        ""]).replace("-0.00", "0.00")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("evidence", nargs="+", type=argparse.FileType())
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--folds", type=int, default=8)
    parser.add_argument("--scale", type=float, default=.5, help="of the penalty")
    parser.add_argument("--songs", action="store_true", help="name the songs whose key is wrong")
    arguments = parser.parse_args()
    songs = []
    for line in (json.loads(text) for file in arguments.evidence for text in file):
        truth = json.loads((pathlib.Path(line["file"]).parent / "truth.json").read_text())
        songs.append((line["file"], KEYS.index(truth["key"]), [matrix(part) for part in line["parts"]]))
    penalty = arguments.scale * np.concatenate([np.full(size, PENALTY[name]) for name, size in SIZES.items()])

    def learn(chosen):
        rows = np.array([part for _, _, parts in chosen for part in parts])
        keys = np.array([key for _, key, parts in chosen for _ in parts])
        counts = np.array([PART_WEIGHT if number else 1. for *_, parts in chosen for number in range(len(parts))])
        return fit(rows, keys, counts, penalty)
    folds = np.random.default_rng(0).permutation(len(songs)) % arguments.folds
    whole, parts_found = [], []
    for fold in range(arguments.folds):
        weights = learn([song for song, its in zip(songs, folds) if its != fold])
        for file, key, parts in (song for song, its in zip(songs, folds) if its == fold):
            for number, part in enumerate(parts):
                found = probabilities(part, weights)
                row = (KEYS[key], KEYS[int(found.argmax())], float(found.max()))
                (parts_found if number else whole).append(row)
                if arguments.songs and not number and row[0] != row[1]:
                    print(file, *row)
    report("songs", whole)
    report("parts", parts_found)
    if arguments.out:
        arguments.out.write_text(source(learn(songs), len(songs)))


if __name__ == "__main__":
    main()
