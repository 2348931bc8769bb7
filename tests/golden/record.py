"""The first outer losses of each preset, kept so that a refactoring cannot shift them.

After a change that is meant to alter them, say so in the commit and record them anew:

    python -m tests.golden.record
"""

import json
from pathlib import Path

from metalab.catalog.recipes import presets
from metalab.core.learner import METRIC_NAMES
from metalab.engine.events import StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides

FILE = Path(__file__).with_name("losses.json")
NUM_STEPS = 20


def first_losses(preset: str) -> list[float]:
    """Return the outer losses of a preset's first steps, in float64.

    The planned number of steps stays, because schedules depend on it.
    """
    config = with_overrides(preset_config(preset), [("run.precision", "float64")])
    column = METRIC_NAMES.index("outer_loss")
    losses: list[float] = []
    for event in Trainer(config).run(lambda: NUM_STEPS):
        if isinstance(event, StepsDone):
            losses += event.metrics[:, column].tolist()
        if len(losses) >= NUM_STEPS:
            break
    return losses[:NUM_STEPS]


if __name__ == "__main__":
    recorded = {name: first_losses(name) for name in presets()}
    FILE.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
    print(f"recorded {', '.join(recorded)} in {FILE}")
