"""Train the default preset in a background thread, without a window; print steps/s."""

import json
import sys
import threading

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.running.worker import RunWorker
from metalab.runs.system.home import new_run_path


def main(warm_up: float, seconds: float, provider: str) -> None:
    config = with_overrides(
        preset_config("maml-sine"),
        [("outer.num_steps", 10_000_000), ("run.provider", provider)],
    )
    # Kept in a file, as by the window and by `metalab train`.
    worker = RunWorker(config, path=new_run_path(config))
    worker.start()
    pause = threading.Event()
    while worker.live.snapshot().step == 0:
        pause.wait(0.05)
    pause.wait(warm_up)
    first = worker.live.snapshot()
    pause.wait(seconds)
    last = worker.live.snapshot()
    worker.stop()
    worker.join()
    print(json.dumps({"steps_per_second": (last.step - first.step) / seconds}))


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
