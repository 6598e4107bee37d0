"""Times the native engine and its peers on one segment of htdemucs at full size, side by side.

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 demucs==4.1.0 safetensors==0.8.0 numpy==2.4.6 \\
        onnxruntime==1.31.1 onnx onnxscript
    venv/bin/python tools/fixtures/demucs_goldens.py --full htdemucs hdemucs_mmi FOLDER
    cargo build --release -p sfa-audio --example demucs_speed
    venv/bin/python benches/peers/separation/speed.py FOLDER [ROUNDS]

Every round runs each contestant once, so that whatever else the machine does disturbs all of them alike. Weights are
random (`demucs_goldens.py --full`), which changes nothing about the work. Prints medians of wall seconds per segment.
"""
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
NATIVE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples/demucs_speed"
HYBRID_SECS = "10"


def torch_run(weights, threads, frames):
    """In a process of its own: one warm-up and one timed run of PyTorch eager."""
    import time

    import torch
    sys.path.insert(0, str(HERE))
    from export import load
    torch.set_num_threads(threads)
    model = load(weights)
    mix = torch.randn(1, 2, frames, generator=torch.Generator().manual_seed(0)) * 0.1
    with torch.no_grad():
        model(mix)
        started = time.perf_counter()
        model(mix)
        print(f"{time.perf_counter() - started:.3f}")


def onnx_run(path, threads):
    import time

    import numpy
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    random = numpy.random.default_rng(0)
    inputs = {"mix": random.standard_normal((1, 2, 343980), dtype=numpy.float32) * 0.1,
              "spec": random.standard_normal((1, 4, 2048, 336), dtype=numpy.float32)}
    session.run(None, inputs)
    started = time.perf_counter()
    session.run(None, inputs)
    print(f"{time.perf_counter() - started:.3f}")


def measured(command):
    """Wall seconds that the command printed last, and its peak memory in MiB."""
    command = ["/usr/bin/time", "-f", "peak %M"] + [str(part) for part in command]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    peak = int(re.search(r"peak (\d+)", found.stderr)[1]) / 1024
    runs = re.findall(r"^(?!loaded).*?(\d+\.\d+)(?: s,|$)", found.stdout, re.M)
    return min(float(secs) for secs in runs), peak


def main(arguments):
    if arguments[0] == "--torch":
        return torch_run(arguments[1], int(arguments[2]), int(arguments[3]))
    if arguments[0] == "--onnx":
        return onnx_run(arguments[1], int(arguments[2]))
    folder = Path(arguments[0])
    rounds = int(arguments[1]) if len(arguments) > 1 else 3
    weights, hybrid = folder / "htdemucs.safetensors", folder / "hdemucs_mmi.safetensors"
    exported = folder / "htdemucs.onnx"
    if not exported.exists():
        subprocess.run([sys.executable, HERE / "export.py", weights, exported], check=True)
    me = [sys.executable, Path(__file__)]
    contestants = {}
    for threads in (1, 2):
        contestants[f"htdemucs, native, {threads}T"] = [NATIVE, weights, "5.8", threads]
        contestants[f"htdemucs, PyTorch eager, {threads}T"] = me + ["--torch", weights, threads, 343980]
        contestants[f"htdemucs, ONNX Runtime without spectra, {threads}T"] = me + ["--onnx", exported, threads]
    if hybrid.exists():
        frames = int(float(HYBRID_SECS) * 44100)
        contestants["hdemucs_mmi, 10 s, native, 1T"] = [NATIVE, hybrid, HYBRID_SECS, 1]
        contestants["hdemucs_mmi, 10 s, PyTorch eager, 1T"] = me + ["--torch", hybrid, 1, frames]
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, command in contestants.items():
            times[name].append(measured(command))
    print("| contestant | median s | min | max | peak MiB |\n|---|---|---|---|---|")
    for name, runs in times.items():
        secs = [run[0] for run in runs]
        print(f"| {name} | {statistics.median(secs):.3f} | {min(secs):.3f} | {max(secs):.3f} | {max(run[1] for run in runs):.0f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
