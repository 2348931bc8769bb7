"""Words of a session on its commands."""

from typing import TYPE_CHECKING

from metalab.ui.session import engine_access as engine
from metalab.ui.session.phase import Notice

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

NEW_SEED = "start_new_seed"
"""Key of the choice to run the experiment with another seed."""


def finished_notice(history: "RunHistory") -> Notice:
    """Return what to say where "run" would only repeat a finished run."""
    # One that was edited on its way would come out otherwise.
    same = "The same seed gives the same numbers again."
    return Notice(
        "This run is finished",
        "" if history.configs.edits else same,
        "accent",
        (("start", "Run it again"), (NEW_SEED, "Run with a new seed")),
    )


def copied_notice(copy: "RunHistory") -> Notice:
    """Return what to say of a copy that was saved."""
    words = engine.lacking(copy) or "the whole run"
    return Notice("A copy was saved", f"{copy.path}: {words}", "accent")
