"""A package that is called like demucs and works as badly as a test wants: the model's name says how."""

__version__ = "4.9-fake"
