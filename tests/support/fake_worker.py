"""A run without a thread: it does what a test tells it to."""

from itertools import islice
from pathlib import Path

from metalab.engine.events import Diverged
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.record.history import Failure, RunHistory
from metalab.runs.record.live import LiveRun
from metalab.runs.record.status import RunStatus
from metalab.runs.running.control import RunControl
from metalab.runs.running.fork import Fork

STEPS_PER_EVENT = 5


def small_config(**changes: object) -> ExperimentConfig:
    """Return MAML on sines, small enough for a run of a fraction of a second.

    Args:
        **changes: Values by path, with "__" for the points.
    """
    small = {
        "outer.num_steps": 60,
        "outer.num_tasks": 4,
        "model.hidden_sizes": [8],
        "evaluation.num_tasks": 16,
        "evaluation.num_queries": 10,
        "evaluation.num_inner_steps": 3,
        "evaluation.every": 20,
    }
    named = {path.replace("__", "."): value for path, value in changes.items()}
    return with_overrides(preset_config("maml-sine"), list((small | named).items()))


class FakeWorker:
    """Stands in for `RunWorker`: nothing happens by itself."""

    def __init__(
        self,
        config: ExperimentConfig,
        *,
        path: Path | None = None,
        past: RunHistory | None = None,
        paused: bool = False,
        fork: Fork | None = None,
    ) -> None:
        self.fork = fork
        self.live = LiveRun(config, path=path, past=past)
        self.control = RunControl(paused=paused)
        self.past = past
        self.alive = False
        self._seconds = 0.0
        state = None if fork is None else fork.state
        self._events = Trainer(config, checkpoint=state).run(lambda: STEPS_PER_EVENT)

    def start(self) -> None:
        self.alive = True

    def play(self, num_events: int) -> None:
        """Let some events happen: the start, a probe, then steps and probes."""
        for event in islice(self._events, num_events):
            self._seconds += 0.01
            self.live.on_event(event, self._seconds)
        running = not self.control.paused
        self.live.set_status(RunStatus.RUNNING if running else RunStatus.PAUSED)

    def diverge(self, quantity: str = "outer_loss") -> None:
        """Let the run pause by itself."""
        step = self.live.snapshot().step
        self.control.pause()
        self.live.on_event(
            Diverged(
                step=step + 1,
                last_good_step=step,
                quantity=quantity,
                value=float("inf"),
            ),
            self._seconds,
        )
        self.live.set_status(RunStatus.PAUSED)

    def end(self, status: RunStatus = RunStatus.FINISHED) -> None:
        """Let the run end and be saved."""
        self.live.set_stored(self.live.snapshot().step)
        self.live.set_status(status)
        self.alive = False

    def fail(self, message: str = "RuntimeError: out of luck") -> None:
        """Let an error end the run, after what it has made was saved."""
        self.live.set_stored(self.live.snapshot().step)
        self.live.fail(Failure(message=message, traceback=f"Traceback\n{message}"))
        self.alive = False

    def stop(self) -> None:
        self.control.stop()

    def join(self, timeout: float | None = None) -> bool:
        if self.alive and self.control.stopping:
            self.end(RunStatus.STOPPED)
        return not self.alive


class Workshop:
    """Makes workers and remembers them."""

    def __init__(self) -> None:
        self.workers: list[FakeWorker] = []

    def __call__(self, config: ExperimentConfig, **options: object) -> FakeWorker:
        self.workers.append(FakeWorker(config, **options))
        return self.workers[-1]

    @property
    def worker(self) -> FakeWorker:
        """The newest."""
        return self.workers[-1]
