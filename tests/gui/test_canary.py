"""PySide6 6.12 drops references to None and True on Python 3.11 until it aborts.

Measured there: about 170 references a plotted frame. The pins exclude it; this watches.
"""

import sys

import numpy as np
import pytest

from metalab.ui.workspaces.live.workspace import LiveWorkspace
from tests.figures.histories import make_history

NUM_FRAMES = 300
ALLOWED_LOSS = 100
"""References that may go for other reasons; the fault loses some 50,000."""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from 3.12")
def test_300_plotted_frames_drop_no_reference_to_none_and_true(qtbot):
    workspace = LiveWorkspace()
    qtbot.addWidget(workspace)
    workspace.resize(1000, 700)
    workspace.show()
    qtbot.waitExposed(workspace)
    histories = [make_history(num_rows=num_rows) for num_rows in (200, 400)]
    counts = []
    for frame in range(NUM_FRAMES + 20):
        workspace.show_history(histories[frame % 2])
        image = workspace.grab().toImage()
        if frame in (19, NUM_FRAMES + 19):
            counts.append((sys.getrefcount(None), sys.getrefcount(True)))
    assert not image.isNull()
    lost = np.array(counts[0]) - np.array(counts[1])
    assert (lost < ALLOWED_LOSS).all(), f"references lost: None, True: {lost}"
