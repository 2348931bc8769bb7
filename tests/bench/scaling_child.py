"""One experiment in a process: the memory that it takes, then its rate, when asked."""

import json
import sys

import torch

from metalab.runs.system.kernels import prepare
from tests.bench.ours_child import Training, experiment
from tests.support.memory import peak_bytes


def main(provider: str, changes: list[tuple[str, object]]) -> None:
    torch.set_num_threads(1)
    # One step of the smallest experiment: what comes after it is of the sizes.
    if provider == "fused":
        assert prepare("float32", cancelled=bool).ready
    Training(experiment(provider, ("outer.num_tasks", 1)), warm_steps=1)
    before = peak_bytes()
    training = Training(experiment(provider, *changes), warm_steps=20)
    training.rate(0.2)
    print(json.dumps({"memory_mb": (peak_bytes() - before) / 2**20}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"rate": training.rate(json.loads(line))}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], [tuple(change) for change in json.loads(sys.argv[2])])
