"""One peer in a process: numbers asked for on stdin, answered on stdout, JSON lines.

Run as a file: a peer brings a package `tests` of its own.
"""

import json
import os
import sys
import time
from pathlib import Path

WAYS = {
    "plain torch loop": ("torch_loops", "PlainLoop"),
    "torch.func vmap + grad": ("torch_loops", "TorchFunc"),
    "learn2learn": ("torch_loops", "Learn2Learn"),
    "higher": ("torch_loops", "Higher"),
    "TorchOpt": ("torch_loops", "TorchOpt"),
    "JAX jit(vmap)": ("jax_ways", "JaxJit"),
    "JAX lax.scan": ("jax_ways", "JaxScan"),
}


def rate(peer, seconds: float) -> float:
    """Return steps a second over about so many seconds."""
    calls, begin = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        peer.step()
        calls += 1
    return calls * getattr(peer, "steps_per_call", 1) / elapsed


def main(name: str, path: str, num_inner_steps: int, num_threads: int) -> None:
    # What a library prints while it is imported must not reach the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    if "JAX" in name and num_threads == 1:
        # JAX has no other way to one thread than to be given one core.
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from importlib import import_module

    from problem import Problem

    if "JAX" not in name:
        import torch

        torch.set_num_threads(num_threads)
    module, kind = WAYS[name]
    made = getattr(import_module(module), kind)
    peer = made(Problem.read(Path(path), num_inner_steps))
    answers.write(json.dumps({"gradient": peer.gradient()}) + "\n")
    peer.step()
    for line in sys.stdin:
        answers.write(json.dumps({"rate": rate(peer, json.loads(line))}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
