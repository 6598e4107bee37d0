"""Loudness beside ffmpeg's ebur128 filter.

    python loudness.py SFA FILE...

SFA is the path of the `sfa` binary; `ffmpeg` has to be installed. Prints one line per file and fails when one differs
by more than 0.1 LU integrated, 0.3 LU in range or 0.2 dB in true peak. ffmpeg prints one decimal, so that half of the
last is added to each bound. Files that one of both gives no number for are named and do not count.
"""

import json
import re
import subprocess
import sys

BOUNDS = {"integrated_lufs": 0.15, "range_lu": 0.35, "true_peak_dbtp": 0.25}


def by_ffmpeg(path):
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", path, "-filter_complex", "ebur128=peak=true", "-f", "null", "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    summary = text[text.rindex("Summary:"):]
    patterns = {
        "integrated_lufs": r"I:\s+(\S+) LUFS",
        "range_lu": r"LRA:\s+(\S+) LU",
        "true_peak_dbtp": r"Peak:\s+(\S+) dBFS",
    }
    return {name: float(re.search(pattern, summary).group(1)) for name, pattern in patterns.items()}


def by_sfa(sfa, path):
    command = [sfa, "analyze", path, "--json", "--features", "loudness"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(text)["analysis"]["loudness"]


def main():
    sfa, *paths = sys.argv[1:]
    worst = dict.fromkeys(BOUNDS, 0.0)
    failed = []
    for path in paths:
        theirs, ours = by_ffmpeg(path), by_sfa(sfa, path)
        cells = []
        for name, bound in BOUNDS.items():
            their, our = theirs[name], ours.get(name)
            # ffmpeg says -70 LUFS and 0 LU where nothing is loud enough to be measured.
            if our is None or their <= -70 or their == float("-inf"):
                cells.append(f"{name}: theirs {their}, ours {our}, not counted")
                continue
            worst[name] = max(worst[name], abs(their - our))
            cells.append(f"{name}: {their:.1f} {our:.2f}")
            if abs(their - our) > bound:
                failed.append(f"{path}: {name}")
        print(f"{path}: " + "; ".join(cells))
    print(f"{len(paths)} files, worst differences {worst}")
    if failed:
        sys.exit("out of bounds: " + ", ".join(failed))


if __name__ == "__main__":
    main()
