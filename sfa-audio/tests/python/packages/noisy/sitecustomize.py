import os

os.write(1, b"Welcome to your Python!\n\xff" + b"{" * 300_000 + b"\n")
