"""Whole files through `sfa separate` and through the real demucs package with the same weights.

    venv/bin/python benches/peers/separation/parity.py FOLDER AUDIO... [--secs N]

FOLDER holds networks made by `tools/fixtures/demucs_goldens.py --full`. Both sides get the same samples as float WAV, cut
to N seconds. Prints the agreement per model, file and stem in dB (power of the reference over power of the difference)
and the largest difference.
"""
import argparse
import array
import os
import struct
import subprocess
import tempfile
from pathlib import Path

import julius
import sphn
import torch
from demucs.apply import BagOfModels, apply_model

from export import load

ROOT = Path(__file__).resolve().parents[3]
SFA = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/sfa"
# Bag, the networks that stand in for its own in order, its segment.
BAGS = {
    "htdemucs": (["htdemucs"], ["955717e8"], None),
    "htdemucs_6s": (["htdemucs_6s"], ["5c90dfd2"], None),
    "hdemucs_mmi": (["hdemucs_mmi"], ["75fc33f5"], 44),
    "mdx_extra": (["hdemucs_mmi", "mdx_extra_old", "mdx_extra_magnitude", "hdemucs_mmi"],
                  ["e51eebcc", "a1d90b5c", "5d2d6c55", "cfa93e08"], 44),
}


def write_wav(path, samples, rate):
    channels, frames = samples.shape
    data = array.array("f", samples.t().contiguous().flatten().tolist()).tobytes()
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 3, channels, rate,
                         rate * channels * 4, channels * 4, 32, b"data", len(data))
    path.write_bytes(header + data)


def read_wav(path):
    data = path.read_bytes()
    channels, rate = struct.unpack("<HI", data[22:28])
    start = data.index(b"data") + 8
    values = torch.frombuffer(bytearray(data[start:]), dtype=torch.float32)
    return values.view(-1, channels).t()


def reference(models, segment, samples, rate):
    mix = samples.expand(2, -1) if samples.shape[0] == 1 else samples[:2]
    mix = julius.resample_frac(mix, rate, 44100)
    mean, deviation = mix.mean(0).mean(), mix.mean(0).std()
    bag = BagOfModels(models, segment=segment)
    with torch.no_grad():
        out = apply_model(bag, ((mix - mean) / (deviation + 1e-8))[None], shifts=0)[0] * deviation + mean
    out = julius.resample_frac(out, 44100, rate, output_length=samples.shape[1])
    return out.mean(1, keepdim=True) if samples.shape[0] == 1 else out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("audio", type=Path, nargs="+")
    parser.add_argument("--secs", type=float, default=20)
    arguments = parser.parse_args()
    print("| model | file | stem | dB | largest difference |\n|---|---|---|---|---|")
    for name, (networks, signatures, segment) in BAGS.items():
        paths = [arguments.folder / f"{network}.safetensors" for network in networks]
        if not all(path.is_file() for path in paths):
            continue
        models = [load(path) for path in paths]
        for audio in arguments.audio:
            data, rate = sphn.read(audio)
            samples = torch.from_numpy(data).float()[:, :int(arguments.secs * rate)]
            with tempfile.TemporaryDirectory() as work:
                work = Path(work)
                (work / "models").mkdir()
                for path, signature in zip(paths, signatures):
                    (work / "models" / f"{signature}.safetensors").symlink_to(path.resolve())
                write_wav(work / "mix.wav", samples, rate)
                subprocess.run([SFA, "separate", work / "mix.wav", "--out", work / "out", "--model", name,
                                "--bit-depth", "32f", "--clip", "none"], check=True, capture_output=True,
                               env=dict(os.environ, SFA_MODELS_DIR=str(work / "models")))
                stems = reference(models, segment, samples, rate)
                for source, expected in zip(models[0].sources, stems):
                    found = read_wav(work / "out" / "mix" / f"{source}.wav")
                    error = (expected - found).double()
                    level = 10 * torch.log10(expected.double().pow(2).sum() / error.pow(2).sum())
                    print(f"| {name} | {audio.name} | {source} | {level:.1f} | {error.abs().max():.1e} |", flush=True)


if __name__ == "__main__":
    main()
