"""How right the analysis is, on songs whose truth is known; mir_eval is the oracle.

    sfa analyze --json FILE... > found.jsonl      (or any JSON lines with the same fields)
    python score.py found.jsonl [--truth FOLDER] [--songs]

A line names its `file`. Its truth is `truth.json` beside the file, or FOLDER/STEM.json. Measures, as the means over
the songs whose truth has them: Acc1 within 4 % of the tempo, Acc2 of it or its half, double, third or triple; BPM
error of songs with one tempo, octave apart; beats and downbeats F at 70 ms after the first 5 s; offset: median of
beat minus truth within 70 ms; keys exact and by the MIREX weights; boundaries F at 0.5 s and 3 s without the two
ends; labels: share of the time under the right word; drops within 2 s and false ones; cents of tuning.
"""

import argparse
import json
import pathlib
import statistics
import sys

import mir_eval
import numpy as np

LABELS = {"build_up": "build", "build-up": "build", "buildup": "build", "prechorus": "pre_chorus",
          "pre-chorus": "pre_chorus"}
#: what a truth without the finer word calls it
COARSE = {"pre_chorus": "verse", "solo": "bridge"}


def truth_of(file, folder):
    path = pathlib.Path(file)
    for candidate in (path.parent / "truth.json", folder / f"{path.stem}.json" if folder else None):
        if candidate and candidate.is_file():
            return json.loads(candidate.read_text())
    return None


def flat(line):
    """The fields scored, of the report's own shape or of the flat one."""
    rhythm, form, key = line.get("rhythm") or {}, line.get("form") or {}, line.get("key")
    if not rhythm and "bpm" in line:
        return line
    beats = rhythm.get("beats", [])
    named = key.get("name") if isinstance(key, dict) else key
    sections = form.get("sections", [])
    return {
        "bpm": rhythm.get("tempo", {}).get("bpm", 0.0),
        "beats": [beat["time_secs"] for beat in beats],
        "downbeats": [beat["time_secs"] for beat in beats if beat["bar_position"] == 1],
        "meter": rhythm.get("meter", {}).get("beats_per_bar", 0),
        "swing": (rhythm.get("swing") or {}).get("ratio"),
        "key": named,
        "tuning_cents": key.get("tuning_cents") if isinstance(key, dict) else None,
        "sections": [{"start": s["start_secs"], "end": s["end_secs"], "label": s["kind"]} for s in sections],
        "drops": [e["start_secs"] for e in form.get("events", []) if e["kind"] == "drop"],
        "form": bool(form),
    }


def word(label, fine):
    label = LABELS.get(label.lower(), label.lower())
    return label if label in fine else COARSE.get(label, label)


def label_share(truth, found):
    """Share of the time of the true sections under the right label, in steps of 50 ms."""
    fine = {LABELS.get(s["label"], s["label"]) for s in truth}
    times = np.arange(truth[0]["start"], truth[-1]["end"], .05)

    def at(sections):
        starts = [s["start"] for s in sections]
        index = np.clip(np.searchsorted(starts, times + 1e-6, side="right") - 1, 0, len(starts) - 1)
        return np.array([word(s["label"], fine) for s in sections])[index]
    return float(np.mean(at(truth) == at(found))) if found else 0.0


def beat_f(truth, found):
    trim = [mir_eval.beat.trim_beats(np.unique(np.asarray(times, float))) for times in (truth, found)]
    return mir_eval.beat.f_measure(*trim) if len(trim[0]) and len(trim[1]) else 0.0


def boundaries_f(truth, found, window):
    def edges(sections):
        return np.array([[s["start"], s["end"]] for s in sections])
    if len(truth) < 2:
        return None
    if len(found) < 2:
        return 0.0
    return mir_eval.segment.detection(edges(truth), edges(found), window=window, trim=True)[2]


def near(a, b, tolerance):
    return b > 0 and abs(a / b - 1) <= tolerance


def longest_tempo(beats, bpm):
    """The tempo, within 4 %, that most of the time has."""
    steps = np.sort(np.diff(beats)) if len(beats) > 8 else np.array([60 / bpm])
    shares = [steps[(steps >= step) & (steps <= 1.04 * step)].sum() for step in steps]
    first = steps[int(np.argmax(shares))]
    return 60 / float(np.median(steps[(steps >= first) & (steps <= 1.04 * first)]))


def score(truth, found):
    row = {}
    bpm, folds = truth.get("bpm"), (1, .5, 2, 1 / 3, 3)
    if bpm:
        # Of a song that changes its tempo, the first, the median, and whichever lasts the longest are right.
        tempos = {bpm, truth.get("bpm_median", bpm), longest_tempo(truth.get("beats", []), bpm)}
        row["acc1"] = float(any(near(found["bpm"], tempo, .04) for tempo in tempos))
        row["acc2"] = float(any(near(found["bpm"], tempo * fold, .04) for tempo in tempos for fold in folds))
        if truth.get("tempo", "const") == "const" and row["acc2"] and len(truth.get("beats", [])) > 8:
            row["bpm_error"] = min(abs(found["bpm"] / fold - bpm) for fold in folds)
    if len(truth.get("beats", [])) > 8:
        row["beat_f"] = beat_f(truth["beats"], found["beats"])
        beats = np.asarray(truth["beats"])
        if len(found["beats"]):
            offsets = [f - beats[np.argmin(np.abs(beats - f))] for f in found["beats"]]
            offsets = [o for o in offsets if abs(o) <= .07]
            if offsets:
                row["offset_ms"] = 1000 * statistics.median(offsets)
                row["abs_offset_ms"] = 1000 * statistics.median(map(abs, offsets))
    if len(truth.get("downbeats", [])) > 3:
        row["down_f"] = beat_f(truth["downbeats"], found["downbeats"])
    if truth.get("meter"):
        row["meter"] = float(found.get("meter") == truth["meter"])
    if truth.get("key"):
        row["key"] = float(found["key"] == truth["key"])
        row["mirex"] = mir_eval.key.weighted_score(truth["key"], found["key"]) if found["key"] else 0.0
    if truth.get("sections") and found["form"]:
        row["f_half"] = boundaries_f(truth["sections"], found["sections"], .5)
        row["f_three"] = boundaries_f(truth["sections"], found["sections"], 3)
        row["labels"] = label_share(truth["sections"], found["sections"])
    if "drops" in truth and found["form"]:
        hits = mir_eval.util.match_events(np.array(truth["drops"]), np.array(found["drops"]), 2.0)
        row["drops"], row["drops_true"] = len(hits), len(truth["drops"])
        row["drops_false"] = len(found["drops"]) - len(hits)
    if truth.get("tuning_cents") is not None and found.get("tuning_cents") is not None:
        row["cents"] = abs(found["tuning_cents"] - truth["tuning_cents"])
    if truth.get("swing") and found.get("swing") is not None:
        row["swing_error"] = abs(found["swing"] - truth["swing"])
    return {name: value for name, value in row.items() if value is not None}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("found", nargs="+", type=argparse.FileType())
    parser.add_argument("--truth", type=pathlib.Path, help="folder with truths named as the files")
    parser.add_argument("--songs", action="store_true", help="a row for every song")
    arguments = parser.parse_args()
    rows = []
    for line in (json.loads(text) for file in arguments.found for text in file if text.strip()):
        truth = truth_of(line["file"], arguments.truth)
        if truth is None:
            print("no truth:", line["file"], file=sys.stderr)
            continue
        found = flat(line)
        row = score(truth, found)
        rows.append(row)
        if arguments.songs:
            path = pathlib.Path(line["file"])
            name = path.parent.name if path.stem == "mix" else path.stem
            cells = " ".join(f"{key}={value:.3g}" for key, value in row.items() if key != "drops_true")
            print(f"{name:24} {truth.get('bpm', 0):7.2f} {found['bpm']:7.2f} {truth.get('key')}/{found['key']} {cells}")
    totals = ("drops", "drops_true", "drops_false")
    names = list(dict.fromkeys(name for row in rows for name in row))
    means = {name: [row[name] for row in rows if name in row] for name in names}
    print(len(rows), "songs:", ", ".join(
        f"{name} {sum(values):g}" if name in totals else f"{name} {np.mean(values):.3f}"
        + (f" (median {np.median(values):.3f})" if name == "bpm_error" else "")
        for name, values in means.items()))


if __name__ == "__main__":
    main()
