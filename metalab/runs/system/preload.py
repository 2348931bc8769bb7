"""Importing the engine in the background, so that torch does not delay the window."""

from collections.abc import Sequence
from importlib import import_module

from metalab.runs.system.background_job import BackgroundJob
from metalab.runs.system.torch_library import load_torch_library

ENGINE = (
    "torch",
    "metalab.experiment.fields",
    "metalab.runs.running.run",
    "metalab.runs.services.snapshots",
    "metalab.runs.running.resume",
)
"""What the window needs before it can run anything, in order."""


KERNELS = "float32"
"""The precision whose kernels are made ready ahead of the first run."""


class Preload:
    """The imports, one after another, in a background thread; then the kernels.

    Until `done`, the window's thread must import none of these modules: it would wait
    for the import lock, and look frozen.
    """

    def __init__(
        self, modules: Sequence[str] = ENGINE, *, kernels: bool = True
    ) -> None:
        """Prepare; `start` begins.

        Args:
            modules: What to import, in order.
            kernels: Whether to make the compiled kernels ready beside it. That does not
                hold up `done`: a run that needs them waits by itself.
        """
        self._wants_kernels = kernels
        self._modules = modules
        self._stage = modules[0]
        self._cancelled = False
        self._job = BackgroundJob(self._import_all, name="preload")
        self._kernels = BackgroundJob(self._warm_kernels, name="kernels")

    def start(self) -> None:
        """Begin."""
        self._job.start()

    @property
    def stage(self) -> str:
        """The module that is being imported, for people who wait."""
        return self._stage

    @property
    def done(self) -> bool:
        """Whether there is nothing left to import, or an import has failed."""
        return self._job.done

    def check(self) -> None:
        """Raise what an import raised; call it when `done`.

        Raises:
            Exception: Why the engine cannot be used.
        """
        self._job.result()

    def cancel(self) -> None:
        """Import nothing more after the module in progress, and compile nothing."""
        self._cancelled = True

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; return whether it has come."""
        return self._job.join(timeout) and self._kernels.join(timeout)

    def _import_all(self) -> None:
        if self._wants_kernels:
            self._kernels.start()
        load_torch_library()
        for module in self._modules:
            if self._cancelled:
                return
            self._stage = module
            import_module(module)

    def _warm_kernels(self) -> None:
        """Compile what is not kept yet, in a child; then load it, which is quick.

        The child begins while this process imports, and does the rarer precisions last,
        when nothing else wants the processor. What a run cannot have, it is told when it
        asks.
        """
        kernels = import_module("metalab.runs.system.kernels")
        kernels.compile_ahead(KERNELS, cancelled=self._is_cancelled)
        # Two threads that import torch would wait for each other.
        self._job.join()
        if self._cancelled:
            return
        kernels.load_kept(KERNELS)
        for precision in kernels.PRECISIONS:
            kernels.compile_ahead(precision, cancelled=self._is_cancelled, idle=True)

    def _is_cancelled(self) -> bool:
        return self._cancelled
