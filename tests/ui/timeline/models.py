"""A run as the timeline draws it, made by hand."""

import numpy as np

from metalab.runs.record.bookmarks import Bookmark
from metalab.ui.timeline.model import TimelineModel


def model(**changes) -> TimelineModel:
    x = np.linspace(1, 1000, 200)
    values = {
        "first_step": 0,
        "last_step": 1000,
        "num_steps": 2000,
        "end_step": 2000,
        "x": x,
        "low": 1 / x,
        "high": 2 / x,
        "middle": 1.4 / x,
        "snapshots": np.array([0.0, 100, 500, 1000]),
        "flags": (),
        "bookmarks": (Bookmark(step=300, note="a kink"), Bookmark(step=700)),
    }
    return TimelineModel(**(values | changes))
