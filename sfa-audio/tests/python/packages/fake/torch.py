"""As much of torch as the worker needs, out of the standard library."""

from array import array

__version__ = "0.0-fake"
float32 = "f"


class Tensor:
    def __init__(self, samples, shape):
        self.samples, self.shape = samples, shape

    def view(self, *shape):
        return Tensor(self.samples, shape)

    def __getitem__(self, index):
        size = 1
        for length in self.shape[1:]:
            size *= length
        return Tensor(self.samples[index * size:(index + 1) * size], self.shape[1:])

    def copy_(self, other):
        self.samples[:] = other.samples


def frombuffer(samples, dtype):
    return Tensor(samples, (len(samples),))


def zeros(count, device):
    if device != "cpu":
        raise RuntimeError("there is no " + device)
    return Tensor(array(float32, [0.0] * count), (count,))


def device(name):
    return name


class cuda:
    @staticmethod
    def is_available():
        return False
