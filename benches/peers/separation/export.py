"""Builds a network from its file of weights with the real package; as a program, exports htdemucs without its spectra.

    python export.py WEIGHTS.safetensors OUT.onnx

ONNX has no complex transforms that fit, so the spectrogram goes in and the spectrograms of the stems come out; what the
peer saves by that counts in its favour.
"""
import json
import sys
from fractions import Fraction

import torch
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs
from safetensors import safe_open
from safetensors.torch import load_file


def load(path):
    with safe_open(path, "pt") as file:
        metadata = file.metadata()

    def option(value):
        return Fraction(value["numerator"], value["denominator"]) if value.get("_type") == "fraction" else value

    options = json.loads(metadata["kwargs"], object_hook=option)
    model = (HTDemucs if metadata["klass"].endswith("HTDemucs") else HDemucs)(**options)
    model.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return model.eval()


class WithoutSpectra(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
        model._magnitude = lambda spectrogram: spectrogram
        model._mask = lambda spectrograms, mix: spectrograms

    def forward(self, mix, spec):
        self.model._spec = lambda wave: spec
        kept = {}

        def keep(spectrograms, length):
            kept["spectrograms"] = spectrograms
            return torch.zeros(1)

        self.model._ispec = keep
        wave = self.model(mix)
        return wave, kept["spectrograms"]


if __name__ == "__main__":
    network = WithoutSpectra(load(sys.argv[1]))
    inputs = (torch.randn(1, 2, 343980), torch.randn(1, 4, 2048, 336))
    with torch.no_grad():
        torch.onnx.export(network, inputs, sys.argv[2], dynamo=True, input_names=["mix", "spec"],
                          output_names=["wave", "spectrograms"])
