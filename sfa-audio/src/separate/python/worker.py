"""Runs a model of the installed `demucs` package for a program that speaks JSON, one message per line.

    python worker.py FOLDER OPTIONS MODEL [REPO]

FOLDER is private to that program and is removed when that goes away without a word; OPTIONS are device, segment,
overlap and shifts as JSON. Requests come on standard input and messages leave on standard output. Audio lies in files
of 32-bit floats, little-endian, channel after channel, so that no audio library is needed and nothing is clipped.
"""

import array
import inspect
import json
import math
import os
import queue
import random
import shutil
import signal
import sys
import threading
import traceback

PROTOCOL = 1


class Failure(Exception):
    """What the program is told when it cannot have what it wants."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind
        self.message = message


class Line:
    """The line to the program; what anybody else writes to standard output goes to standard error."""

    def __init__(self, folder):
        self.folder = folder
        self.requests = queue.Queue()
        self.answers = os.fdopen(os.dup(1), "wb")
        self.questions = os.fdopen(os.dup(0), "rb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        try:
            for question in self.questions:
                self.requests.put(json.loads(question.decode("utf-8")))
        finally:
            self.leave()

    def send(self, **message):
        try:
            self.answers.write(json.dumps(message).encode("ascii") + b"\n")
            self.answers.flush()
        except OSError:
            self.leave()

    def leave(self):
        """Nobody is there any more: takes everything along that was started or laid down here."""
        if os.path.basename(self.folder).startswith("sfa-demucs-"):
            shutil.rmtree(self.folder, ignore_errors=True)
        if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)


def describe(error):
    return "{}: {}".format(type(error).__name__, error)


def last_words(end):
    """Why the package wants to end the whole process; nothing where it has said so on standard error."""
    return end.code if isinstance(end.code, str) else ""


class Engine:
    """The model, loaded once."""

    def __init__(self, options, name, repo):
        self.options = options
        self.load_package()
        self.device = self.find_device()
        self.model = self.load_model(name, repo)
        self.networks = list(getattr(self.model, "models", [self.model]))
        self.check_segment()

    def load_package(self):
        try:
            import demucs
        except ModuleNotFoundError as error:
            if error.name == "demucs":
                raise Failure("missing", "")
            raise Failure("package", describe(error))
        self.version = str(getattr(demucs, "__version__", "unknown"))
        try:
            import torch
            from demucs.apply import apply_model
            from demucs.pretrained import get_model
        except Exception as error:
            raise Failure("package", describe(error))
        self.torch, self.apply_model, self.get_model = torch, apply_model, get_model
        known = inspect.signature(apply_model).parameters
        self.arguments = {"shifts": self.options["shifts"], "overlap": self.options["overlap"], "split": True}
        if self.options["segment"] is not None:
            self.arguments["segment"] = self.options["segment"]
        for argument in self.arguments:
            if argument not in known:
                raise Failure("package", "version {} knows no {}".format(self.version, argument))
        if "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ:
            # Versions before 4.1.0 load their models in a way that torch 2.6 and later allow only when told so.
            os.environ.setdefault("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")

    def find_device(self):
        name = self.options["device"]
        try:
            if name is None:
                name = "cuda" if self.torch.cuda.is_available() else "cpu"
            self.torch.zeros(1, device=self.torch.device(name))
        except Exception as error:
            raise Failure("device", describe(error))
        return name

    def load_model(self, name, repo):
        from pathlib import Path

        try:
            return self.get_model(name, repo=None if repo is None else Path(repo))
        except SystemExit as end:
            raise Failure("model", last_words(end))
        except Exception as error:
            traceback.print_exc()
            raise Failure("model", describe(error))

    def check_segment(self):
        wanted = self.options["segment"]
        for network in self.networks:
            if wanted is not None and type(network).__name__ == "HTDemucs" and wanted > float(network.segment):
                longest = "{:.1f}".format(float(network.segment))
                raise Failure("option", "a segment of {} s is longer than the {} s of the training".format(
                    wanted, longest))

    def hello(self):
        return {
            "protocol": PROTOCOL,
            "demucs": self.version,
            "torch": str(self.torch.__version__),
            "device": self.device,
            "sources": list(self.model.sources),
            "sample_rate_hz": int(self.model.samplerate),
            "channels": int(self.model.audio_channels),
        }

    def segments(self, network, frames):
        """How often a network is asked about so many frames, at most."""
        rate = network.samplerate
        length = int(rate * float(self.options["segment"] or network.segment))
        stride = max(1, int((1 - self.options["overlap"]) * length))
        shifts = self.options["shifts"]
        heard = frames + (int(0.5 * rate) if shifts else 0)
        return max(1, shifts) * math.ceil(heard / stride)

    def separate(self, request, line):
        folder, frames = os.path.join(line.folder, request["folder"]), request["frames"]
        channels = int(self.model.audio_channels)
        mix = self.tensor(read_samples(os.path.join(folder, request["mix"]), channels * frames))
        steps = 2 * sum(self.segments(network, frames) for network in self.networks)
        done = 0

        def step(*_):
            nonlocal done
            done += 1
            line.send(type="progress", percent=min(100, 100 * done // steps))

        hooks = [network.register_forward_pre_hook(step) for network in self.networks]
        hooks += [network.register_forward_hook(step) for network in self.networks]
        # The same song gives the same shifts.
        random.seed(0)
        try:
            stems = self.apply_model(self.model, mix.view(1, channels, frames), device=self.device, **self.arguments)
        finally:
            for hook in hooks:
                hook.remove()
        files = {}
        for index, name in enumerate(self.model.sources):
            samples = array.array("f", bytes(4 * channels * frames))
            self.tensor(samples).view(channels, frames).copy_(stems[0][index])
            files[name] = "stem-{}.f32".format(index)
            write_samples(os.path.join(folder, files[name]), samples)
        return files

    def tensor(self, samples):
        """The same memory, seen by torch."""
        return self.torch.frombuffer(samples, dtype=self.torch.float32)


def read_samples(path, count):
    samples = array.array("f")
    with open(path, "rb") as file:
        samples.fromfile(file, count)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def write_samples(path, samples):
    if sys.byteorder == "big":
        samples.byteswap()
    with open(path, "wb") as file:
        samples.tofile(file)


def main(folder, options, name, repo=None):
    line = Line(os.path.abspath(folder))
    try:
        engine = Engine(json.loads(options), name, repo)
        line.send(type="hello", **engine.hello())
        while True:
            stems = engine.separate(line.requests.get(), line)
            line.send(type="result", stems=stems)
    except Failure as failure:
        line.send(type="error", kind=failure.kind, message=failure.message)
    except SystemExit as end:
        line.send(type="error", kind="run", message=last_words(end))
    except Exception as error:
        traceback.print_exc()
        line.send(type="error", kind="run", message=describe(error))
    # Without waiting for the thread that listens, which has no end of its own.
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
