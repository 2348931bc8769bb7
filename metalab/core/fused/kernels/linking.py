"""Making machine code of nothing but what Python calls."""

from collections.abc import Generator
from contextlib import contextmanager

from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target

_OF_PYTHON = "_ZN7cpython"
"""Beginning of the names of functions that Python can call."""


class _Library(JITCodeLibrary):
    """The code of one function, with what it calls; left as it is unless it is an entry.

    numba optimises each function together with all that it calls, and makes machine code
    of it, lest Python call it. Kernels call one another up to eight levels deep, so that
    the innermost would be optimised eight times, and seven results thrown away: more than
    half of the time that compiling takes.
    """

    _is_whole = True

    def finalize(self) -> None:
        if self._is_entry:
            super().finalize()
            return
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            shared = library._get_module_for_linking()
            self._final_module.link_in(shared, preserve=True)
        self._finalize_dynamic_globals()
        self._finalized, self._is_whole = True, False

    def get_pointer_to_function(self, name: str) -> int:
        # One that comes from disk is whole, and has no functions to look at.
        self._ensure_finalized()
        return super().get_pointer_to_function(name) if self._is_whole else 0

    @property
    def _is_entry(self) -> bool:
        functions = self._final_module.functions
        return any(
            function.name.startswith(_OF_PYTHON) and not function.is_declaration
            for function in functions
        )


@contextmanager
def entries_only() -> Generator[None]:
    """Make machine code of entries alone, while it lasts.

    Takes the place of a part of numba that is not public: with another numba than the
    tests know, `metalab kernels` may have to do without.

    Thread: one at a time in a process.
    """
    codegen = cpu_target.target_context.codegen()
    kept = codegen._library_class
    set_environment = codegen.set_env

    def set_if_there(name: str, environment: object) -> None:
        # What is only linked has no place of its own for it. Kernels need none: it holds
        # Python's objects, of which they have none.
        if codegen._engine.is_symbol_defined(name):
            set_environment(name, environment)

    codegen._library_class = _Library
    codegen.set_env = set_if_there
    try:
        yield
    finally:
        codegen._library_class = kept
        del codegen.set_env
