"""How right chords, keys over time, drum hits and notes are, on songs whose truth is known.

    python harmony.py FOLDER... --analysis FILE.jsonl [--part chords|keys|drums|all] [--reliability]
    python harmony.py FOLDER... --notes bass_notes|vocal_notes --midi DIR

FOLDER holds songs: */truth.json beside */mix.flac (and */stems). FILE holds one line of JSON per song, as
`sfa analyze --json` prints them; DIR holds SONG.mid of `sfa transcribe`. Scores are mir_eval's: chords by weighted overlap of `majmin` and of `thirds`
over the stretches where the truth names a chord, keys by the share of time with the right key, drums by F at 50 ms
(claps and rims are snares in the truth; what strikes twice within 30 ms counts once), notes by F with onsets within
50 ms and the right semitone. With --reliability, also what share of the keys, and of the time of the chords (major or
minor), is right at each confidence: it should be the confidence.
"""

import argparse
import collections
import json
import pathlib

import mir_eval
import numpy as np

DRUMS = {"kick": ("kick",), "snare": ("snare", "clap", "perc"), "hat": ("hat",)}


def song_of(path):
    path = pathlib.Path(path)
    return path.parent.parent.name if path.parent.name == "stems" else path.parent.name


def overlap(truth, chords):
    intervals = np.array([(c["start"], c["end"]) for c in truth])
    labels = [c["label"] for c in truth]
    found = np.array([(c["start_secs"], c["end_secs"]) for c in chords])
    names = [c["label"] for c in chords]
    found, names = mir_eval.util.adjust_intervals(
        found, names, intervals.min(), intervals.max(), mir_eval.chord.NO_CHORD, mir_eval.chord.NO_CHORD)
    times, reference, estimated = mir_eval.util.merge_labeled_intervals(intervals, labels, found, names)
    durations = mir_eval.util.intervals_to_durations(times)
    score = lambda compare: mir_eval.chord.weighted_accuracy(compare(reference, estimated), durations)
    right = np.array([a == b for a, b in zip(reference, estimated)])
    return {"majmin": score(mir_eval.chord.majmin), "thirds": score(mir_eval.chord.thirds),
            "root": score(mir_eval.chord.root), "exact": float((right * durations).sum() / durations.sum()),
            "segments": len(chords), "true segments": len(truth)}


def chord_rows(truth, chords):
    """Of every chord found: confidence, seconds with a known chord, and those of them that are right."""
    rows = []
    for chord in chords:
        shared = [(min(c["end"], chord["end_secs"]) - max(c["start"], chord["start_secs"]), c["label"]) for c in truth]
        shared = [(secs, label) for secs, label in shared if secs > 0]
        if shared and chord["label"] != "N":
            alike = mir_eval.chord.majmin([label for _, label in shared], [chord["label"]] * len(shared))
            known = [(secs, same) for (secs, _), same in zip(shared, alike) if same >= 0]
            rows.append((chord["confidence"], sum(secs for secs, _ in known), sum(secs * same for secs, same in known)))
    return rows


def print_reliability(name, rows):
    """Rows are confidence, weight, and the part of the weight that is right."""
    rows = np.array(rows)
    for low, high in ((0, .3), (.3, .5), (.5, .7), (.7, .8), (.8, .9), (.9, .95), (.95, 1.01)):
        sure, weight, right = rows[(rows[:, 0] >= low) & (rows[:, 0] < high)].T
        if len(sure):
            print(f"{name} {low:.2f}-{min(high, 1):.2f}: {weight.sum() / rows[:, 1].sum():.3f} of all, "
                  f"confidence {np.average(sure, weights=weight):.3f}, right {right.sum() / weight.sum():.3f}")


def key_share(truth, segments):
    step = 0.1
    times = np.arange(truth[0]["start"] + step / 2, truth[-1]["end"], step)
    at = lambda parts, start, end, key: [
        next((key(p) for p in parts if p[start] <= t < p[end]), None) for t in times]
    true_keys = at(truth, "start", "end", lambda p: p["key"])
    keys = at(segments, "start_secs", "end_secs", lambda p: p["name"])
    return {"key share": float(np.mean([a == b for a, b in zip(true_keys, keys)])),
            "keys": len(segments), "true keys": len(truth)}


def apart(times):
    times = np.sort(np.array(times, float))
    return times[np.r_[True, np.diff(times) > 0.03]] if len(times) else times


def drum_f(truth, hits):
    scores = {}
    for name, kinds in DRUMS.items():
        reference = apart(truth.get(name, []))
        found = apart([h["time_secs"] for h in hits if h["kind"] in kinds])
        if len(reference) == 0 and len(found) == 0:
            continue
        f, precision, recall = mir_eval.onset.f_measure(reference, found, window=0.05)
        scores[f"{name} F"], scores[f"{name} P"], scores[f"{name} R"] = f, precision, recall
    values = [scores[f"{name} F"] for name in DRUMS if f"{name} F" in scores]
    if values:
        scores["drums F"] = float(np.mean(values))
    return scores


def note_f(truth, intervals, pitches):
    reference = np.array([(start, start + max(length, 0.01)) for start, length, *_ in truth])
    hz = lambda midi: 440.0 * 2 ** ((np.array(midi, float) - 69) / 12)
    true_pitches = hz([note[2] for note in truth])
    score = lambda found: mir_eval.transcription.precision_recall_f1_overlap(
        reference, true_pitches, intervals, found, offset_ratio=None)
    precision, recall, f, _ = score(hz(pitches))
    onset = mir_eval.transcription.onset_precision_recall_f1(reference, intervals)[2]
    return {"notes F": f, "P": precision, "R": recall, "onsets F": onset, "found": len(pitches), "true": len(truth)}


def midi_notes(path):
    import pretty_midi
    notes = [note for part in pretty_midi.PrettyMIDI(str(path)).instruments for note in part.notes]
    return np.array([(n.start, max(n.end, n.start + 0.01)) for n in notes]), [n.pitch for n in notes]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--analysis", type=pathlib.Path)
    parser.add_argument("--notes")
    parser.add_argument("--midi", type=pathlib.Path)
    parser.add_argument("--part", default="all")
    parser.add_argument("--reliability", action="store_true", help="how often each confidence is right")
    parser.add_argument("--quiet", action="store_true", help="only the means")
    arguments = parser.parse_args()
    truths = {}
    for folder in arguments.folders:
        for path in folder.glob("*/truth.json"):
            truths[path.parent.name] = json.loads(path.read_text())
    totals = collections.defaultdict(list)
    sure_of = {"key": [], "chords": []}
    for name, truth in sorted(truths.items()) if arguments.midi else ():
        file = arguments.midi / f"{name}.mid"
        if file.exists() and truth.get(arguments.notes):
            row = note_f(truth[arguments.notes], *midi_notes(file))
            for score, value in row.items():
                totals[score].append(value)
            if not arguments.quiet:
                print(f"{name:24}", "  ".join(f"{score} {value:.3f}" for score, value in row.items()))
    for line in arguments.analysis.read_text().splitlines() if arguments.analysis else ():
        document = json.loads(line)
        analysis = document.get("analysis", document)
        name = song_of(document.get("file") if isinstance(document.get("file"), str) else document["file"]["path"])
        truth = truths.get(name)
        if truth is None:
            continue
        row = {}
        if analysis.get("chords") and truth.get("chords") and arguments.part in ("all", "chords"):
            row |= overlap(truth["chords"], analysis["chords"])
            sure_of["chords"] += chord_rows(truth["chords"], analysis["chords"])
        if analysis.get("key") and arguments.part in ("all", "keys"):
            row["key"] = float(analysis["key"]["name"] == truth["key"])
            sure_of["key"].append((analysis["key"]["confidence"], 1, row["key"]))
            if analysis.get("key_segments"):
                row |= key_share(truth["keys"], analysis["key_segments"])
        if analysis.get("drums") is not None and arguments.part in ("all", "drums"):
            row |= drum_f(truth["onsets"], analysis["drums"])
        for score, value in row.items():
            totals[score].append(value)
        if not arguments.quiet:
            print(f"{name:24}", "  ".join(f"{score} {value:.3f}" for score, value in row.items()))
    print(f"{'mean':24}", "  ".join(f"{score} {np.mean(values):.3f}" for score, values in totals.items()))
    for name, rows in sure_of.items() if arguments.reliability else ():
        if rows:
            print_reliability(name, rows)


if __name__ == "__main__":
    main()
