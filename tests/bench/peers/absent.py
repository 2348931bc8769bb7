"""A stand-in for a library that a peer imports and never uses here."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Absent(ModuleType):
    """A module with every name, each of them an empty class."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class _Finder:
    def __init__(self, library):
        self._library = library

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == self._library:
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Absent(spec.name)

    def exec_module(self, module):
        """There is nothing to run."""


def without(library):
    """Let every import of a library find nothing but names."""
    sys.meta_path.insert(0, _Finder(library))
