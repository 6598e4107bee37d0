import os
import socket
import subprocess
import sys
import threading
import time
from array import array

import torch


def apply_model(model, mix, shifts=1, split=True, overlap=0.25, device=None, segment=None):
    """The first stem is the mix, the others are silent."""
    _, channels, frames = mix.shape
    for _ in range(0, frames, int((1 - overlap) * model.segment * model.samplerate)):
        model(None)
    stems = mix.samples + array("f", bytes(8 * channels * frames))
    if model.name == "crash":
        print("something broke", file=sys.stderr, flush=True)
        os._exit(3)
    elif model.name == "hang":
        time.sleep(3600)
    elif model.name == "eternal":
        while True:
            model(None)
            time.sleep(0.01)
    elif model.name == "grandchild":
        program = "import socket, sys, time; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); time.sleep(3600)"
        subprocess.Popen([sys.executable, "-c", program, os.environ["FAKE_PORT"]])
        time.sleep(3600)
    elif model.name == "mortal":
        connection = socket.create_connection(("127.0.0.1", int(os.environ["FAKE_PORT"])))
        threading.Thread(target=lambda: (connection.recv(1), os._exit(0)), daemon=True).start()
    elif model.name == "raise":
        raise MemoryError("there is no memory\nfor this song")
    elif model.name == "exit":
        sys.exit("this song is fatal")
    elif model.name == "nan":
        stems[-1] = float("nan")
    elif model.name == "long":
        stems.extend([0.0] * 6)
        frames += 1
    elif model.name == "noisy":
        print("separating...")
        os.write(1, b"\x00\xff\n")
        lines = [b"{\n", b'{"type": "progress", "percent": -7}\n', b'{"type": "what"}\n', b"x" * 200_000 + b"\n"]
        for line in lines + [b'{"type": "progress", "percent": 3}\n', b"\xff\xfe\n"]:
            write_to_every_pipe(line)
    return torch.Tensor(stems, (1, len(model.sources), channels, frames))


def write_to_every_pipe(line):
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, line)
        except OSError:
            pass
