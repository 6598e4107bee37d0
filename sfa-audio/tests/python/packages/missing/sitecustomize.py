import sys


class Nothing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "demucs":
            raise ModuleNotFoundError("No module named 'demucs'", name=name)


sys.meta_path.insert(0, Nothing)
