import os
import sys
import time

KNOWN = "plain crash hang eternal grandchild mortal raise exit nan long noisy".split()


class Hook:
    def __init__(self, hooks, call):
        self.hooks, self.call = hooks, call
        hooks.append(self)

    def remove(self):
        self.hooks.remove(self)


class Model:
    samplerate = 44100
    audio_channels = 2
    segment = 1.0

    def __init__(self, name):
        self.name = name
        self.sources = ["vocals", "drums", "bass"]
        self.before, self.after = [], []

    def register_forward_pre_hook(self, call):
        return Hook(self.before, call)

    def register_forward_hook(self, call):
        return Hook(self.after, call)

    def __call__(self, chunk):
        for hook in self.before:
            hook.call(self, (chunk,))
        for hook in self.after:
            hook.call(self, (chunk,), chunk)


def get_model(name, repo=None):
    if "FAKE_NOTES" in os.environ:
        with open(os.environ["FAKE_NOTES"], "a") as notes:
            notes.write(name + "\n")
    if name == "fatal":
        print("a helper package is not installed,\nrun: pip install helper", file=sys.stderr)
        sys.exit(1)
    if name == "slow to load":
        time.sleep(3600)
    model = Model(name)
    if name == "strings":
        model.sources = ["drums", "strings"]
    elif name == "mono":
        model.audio_channels = 1
    elif name not in KNOWN:
        raise ValueError(name + " is neither a single pre-trained model or a bag of models.")
    return model
