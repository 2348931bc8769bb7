"""Meta-parameters that come with metalab, so that there is something to drag at once."""

from typing import TYPE_CHECKING

import numpy as np

from metalab.engine.events import Checkpoint, EvaluationDone, RunStarted
from metalab.engine.providers import AUTODIFF
from metalab.engine.torch_threads import use_threads
from metalab.engine.trainer import Trainer
from metalab.runs.record.live import LiveRun
from metalab.runs.record.status import RunStatus
from metalab.ui.learn.cards import all_cards
from metalab.ui.learn.content import DATA
from metalab.ui.learn.experiments import config_of

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

CARD = "maml"
"""The card whose experiment was run; `packaging/make_start_page.py` does."""

FILE = DATA / "trained_start.npz"


def trained_start() -> "RunHistory":
    """Return the card's experiment as it stood after 1,000 outer steps.

    A stopped run that is not kept: held-out tasks, their curves and one evaluation, but no
    metrics of the steps before. Takes some tenths of a second, and needs no compiled
    kernels. Call it once the engine is loaded.
    """
    use_threads(1)
    config = config_of(all_cards()[CARD])
    trainer = Trainer(config, checkpoint=_checkpoint(), provider=AUTODIFF)
    live = LiveRun(config)
    events = trainer.run()
    for event in events:
        assert isinstance(event, RunStarted | EvaluationDone), "nothing is trained"
        live.on_event(event, 0.0)
        if isinstance(event, EvaluationDone):
            break
    events.close()
    live.set_status(RunStatus.STOPPED)
    return live.snapshot()


def _checkpoint() -> Checkpoint:
    with np.load(FILE, allow_pickle=False) as arrays:
        slots = sorted(name for name in arrays.files if name.startswith("slot_"))
        return Checkpoint(
            step=int(arrays["step"]),
            phi=arrays["phi"],
            slots=tuple(arrays[name] for name in slots),
        )
