"""A run from its first line to its last: trainer, file, loop."""

from collections.abc import Callable, Sequence
from pathlib import Path

from metalab.core.paths import obstacle_to_keep
from metalab.engine.build import check_fits
from metalab.engine.torch_threads import use_threads_of
from metalab.engine.trainer import Trainer
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.history import Origin
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.runs.record.store import RunStore
from metalab.runs.record.writer import check_free
from metalab.runs.running.control import RunControl
from metalab.runs.running.fork import Fork
from metalab.runs.running.loop import Sink, run_loop
from metalab.runs.running.prefetch import Prefetcher, ThreadTeam
from metalab.runs.running.provider import COMPILING_STEP, settle_provider
from metalab.runs.system.home import runs_folder


def run_experiment(
    live: LiveRun,
    control: RunControl,
    *,
    resuming: bool = False,
    fork: Fork | None = None,
    sinks: Sequence[Sink] = (),
    on_compiling: Callable[[str], None] | None = None,
) -> RunStatus:
    """Run `live.config`, keep it in `live.path` if there is one, and close the file.

    Args:
        live: Where the newest state can be seen.
        control: Where commands come from.
        resuming: Go on from the checkpoint in the file instead of creating it; of a run
            that diverged, with losses that may grow a thousandfold further.
        fork: Where another run stood, for one that begins there.
        sinks: Who else is told.
        on_compiling: Told what the run waits for, if something is compiled for it.

    Returns:
        FINISHED, STOPPED or DIVERGED; a run that was stopped while it waited for its
        kernels has written nothing.

    Raises:
        DeviceError: The configured device is not available; nothing is written.
        MemoryNeedError: The run would not fit into memory; nothing is written.
        ProviderError: The run needs compiled kernels that cannot be had here; nothing
            is written.
        RunFileError: The file cannot be created, used or written.

    Thread: any one; it is blocked until the run ends.
    """
    check_fits(live.config, trains=True)
    checkpoint, recorded, wrecked = None, None, False
    if live.path is not None and not resuming:
        _make_place(live.path)
    if fork is not None:
        checkpoint = fork.state
        live.set_origin(Origin(parent=fork.parent, step=fork.state.step))
        if fork.bookmarks and live.bookmarks is None:
            live.set_bookmarks(fork.bookmarks)
    if resuming:
        assert live.path is not None, "only a run with a file can be resumed"
        stored = open_run(live.path)
        wrecked = stored.history.diverged is not None
        checkpoint, recorded = stored.checkpoint, stored.history.provider or None
    provider = settle_provider(
        live, control, recorded=recorded, on_compiling=on_compiling
    )
    if provider is None:
        live.set_status(RunStatus.STOPPED)
        return RunStatus.STOPPED
    use_threads_of(live.config, provider)
    team, ahead = ThreadTeam(live.config.run.num_threads), Prefetcher()
    try:
        trainer = Trainer(
            live.configs,
            checkpoint=checkpoint,
            provider=provider,
            team=team,
            ahead=ahead,
        )
        if wrecked:
            # As in a run that is paused: to go on is to consent, for the same steps
            # explode in the same way.
            trainer.accept_explosion()
        if trainer.compiles:
            _compile(trainer, live, on_compiling)
        return _keep(trainer, live, control, resuming=resuming, sinks=sinks)
    finally:
        team.close()
        ahead.close()


def _make_place(path: Path) -> None:
    """Make the folder of runs, and see that a run can be kept, before any work.

    Raises:
        RunFileError: It cannot.
    """
    folder = path.parent
    obstacle = None
    if folder == runs_folder():
        obstacle = obstacle_to_keep(folder)
        if obstacle is None:
            folder.mkdir(parents=True, exist_ok=True)
    if obstacle is not None:
        raise RunFileError(f"{path} cannot be created: {obstacle}")
    check_free(path)


def _compile(
    trainer: Trainer, live: LiveRun, on_compiling: Callable[[str], None] | None
) -> None:
    """Have torch compile the outer step, and say so, or why it cannot."""
    reason = live.snapshot().provider_reason
    live.set_provider_reason(COMPILING_STEP)
    live.set_status(RunStatus.COMPILING)
    if on_compiling is not None:
        on_compiling(COMPILING_STEP)
    obstacle = trainer.compile()
    told = "compiled by torch" if obstacle is None else f"not compiled: {obstacle}"
    live.set_provider_reason(f"{reason}; {told}")
    live.set_status(RunStatus.STARTING)


def _keep(
    trainer: Trainer,
    live: LiveRun,
    control: RunControl,
    *,
    resuming: bool,
    sinks: Sequence[Sink],
) -> RunStatus:
    """Run a trainer, with the file if there is one."""
    if live.path is None:
        return run_loop(trainer, live=live, control=control, sinks=sinks)
    opened = RunStore.reopen if resuming else RunStore.create
    store = opened(live.path, live)
    status = RunStatus.FAILED
    try:
        status = run_loop(trainer, live=live, control=control, sinks=[store, *sinks])
    finally:
        store.close(status)
    return status
