"""Ours in a process: training end to end, sampling included.

Speaks like `peers.child`: first the meta-gradient of given numbers, then rates.
"""

import json
import sys
import time
from dataclasses import replace

import numpy as np
import torch

from metalab.core.outer import SGD
from metalab.core.streams import RandomStreams
from metalab.core.tasks import Samples, TaskBatch
from metalab.engine.providers import counts_of
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.running.prefetch import ThreadTeam
from metalab.runs.system.kernels import prepare

WARM_STEPS = 500
PACE_SECONDS = 0.01


def experiment(provider: str, *more: tuple[str, object]) -> ExperimentConfig:
    """Return the default preset, without end and without looking aside."""
    endless = [("outer.num_steps", 10_000_000), ("evaluation.every", 1_000_000)]
    changes = [*endless, ("run.provider", provider), *more]
    return with_overrides(preset_config("maml-sine"), changes)


def gradient(config: ExperimentConfig, path: str) -> list[float]:
    """Return the meta-gradient at the given weights on the first given batch."""
    held = np.load(path)
    phi = np.concatenate([held[f"weight{i}"].ravel() for i in range(6)])
    xs, ys, xq, yq = (torch.tensor(held[name][0]) for name in ("xs", "ys", "xq", "yq"))
    batch = TaskBatch(
        parameters=torch.zeros(len(xs), 1),
        support=Samples(x=xs, y=ys),
        query=Samples(x=xq, y=yq),
    )
    trainer = Trainer(config)
    learner = trainer.learner
    state = learner.initial_state(
        generator=torch.Generator(), dtype=torch.float32, device=torch.device("cpu")
    )
    state = replace(state, phi=torch.tensor(phi), slots=())
    plain = replace(learner, outer=SGD(outer_lr=1.0))
    if config.run.provider == "autodiff":
        moved = plain.step(state, batch, RandomStreams(0)).state.phi
    else:
        from metalab.core.fused.run import Data, FusedRun

        run = FusedRun(plain, state, counts_of(config))
        run.advance(Data.of(batch), 0, 1, np.full(7, np.inf))
        moved = run.state.phi
    return (state.phi.double() - moved.double()).tolist()


class Training:
    """A run that goes on between two measurements."""

    def __init__(
        self, config: ExperimentConfig, *, warm_steps: int = WARM_STEPS
    ) -> None:
        threads = config.run.num_threads
        self._trainer = Trainer(
            config, team=ThreadTeam(threads) if threads > 1 else None
        )
        self._pace = 1
        self._events = self._trainer.run(lambda: self._pace)
        self._until(warm_steps)
        # As many steps in a call as a window would make between two looks.
        self._pace = max(1, int(self.rate(0.2) * PACE_SECONDS))

    def _until(self, step: int) -> None:
        self._pace = min(10, step)
        while self._trainer.step < step:
            next(self._events)

    def rate(self, seconds: float) -> float:
        """Return outer steps a second over about so many seconds."""
        first, begin = self._trainer.step, time.perf_counter()
        while (elapsed := time.perf_counter() - begin) < seconds:
            next(self._events)
        return (self._trainer.step - first) / elapsed


def main(
    fields: dict[str, str], path: str, num_inner_steps: int, num_threads: int
) -> None:
    provider = fields.pop("provider")
    # As `runs.running.run` has it.
    torch.set_num_threads(1 if provider == "fused" else num_threads)
    assert prepare("float32", cancelled=bool).ready
    config = experiment(
        provider,
        ("inner.num_inner_steps", num_inner_steps),
        ("run.num_threads", num_threads),
        *((f"run.{name}", value) for name, value in fields.items()),
    )
    print(json.dumps({"gradient": gradient(config, path)}), flush=True)
    training = Training(config)
    for line in sys.stdin:
        print(json.dumps({"rate": training.rate(json.loads(line))}), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
