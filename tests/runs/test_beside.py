"""Work beside a run, in a process where torch would take every core it finds."""

import os
import subprocess
import sys

WORK = """
import numpy as np
import torch

from metalab.analysis.adapt_request import AdaptRequest, CustomTask, Start
from metalab.runs.services.task_adaptation import TaskAdaptationService
from metalab.ui.learn.trained_start import trained_start
from tests.support.services import Waited

threads = []
whole = torch.set_num_threads


def counted(number):
    threads.append(number)
    whole(number)


torch.set_num_threads = counted
history = trained_start()
tasks = history.held_out_tasks
task = CustomTask(
    x=tasks.support.x[0, :, 0], y=tasks.support.y[0, :, 0], grid=tasks.grid, truth=None,
    parameters=None,
)
start = Start(key="run", config=history.config_at(), phi=history.curves.phi, step=0)
asked = AdaptRequest(
    task=task, starts=(start,), num_inner_steps=11, inner_lr=None, num_fan=0, seed=0
)
service = Waited(TaskAdaptationService)
found = []
for _ in range(3):
    service.request(asked)
    found.append(service.take(60.0)[0].curves)
assert service.close(60.0)
for curves in found[1:]:
    np.testing.assert_array_equal(curves, found[0])
assert threads and set(threads) == {1}, threads
"""


def test_the_first_answer_of_a_thread_has_the_bits_of_the_next_ones():
    """A fresh thread of torch begins with all cores, whose sums end on other bits."""
    surroundings = {k: v for k, v in os.environ.items() if "NUM_THREADS" not in k}
    done = subprocess.run(
        [sys.executable, "-c", WORK],
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
