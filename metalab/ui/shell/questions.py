"""Questions before a run in view ends, or is gone, in words."""

from typing import TYPE_CHECKING

from metalab.ui.session.phase import Stake
from metalab.ui.session.session import Session
from metalab.ui.widgets.dialogs import Question

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory


def question_before(session: Session, doing: str) -> Question:
    """Return what to ask before another run takes the place of the one in view.

    Args:
        session: What is at stake in it.
        doing: What for, as in "To …, it is stopped".
    """
    history = session.history
    assert history is not None, "without a run nothing is at stake"
    if session.stake is not Stake.RUN:
        return _unsaved(session, history)
    kept = "it is stopped and kept; it can go on later from its file"
    lost = "it is stopped; it is not kept in a file"
    return Question(
        title="A run is in progress",
        text=f"{history.name} stands at outer step {history.step:,} of "
        f"{history.num_steps:,}. To {doing}, "
        f"{lost if history.path is None else kept}.",
        accept="&Stop and keep" if history.path is not None else "&Stop",
    )


def question_before_closing(session: Session) -> Question:
    """Return what to ask before the window closes."""
    history = session.history
    if history is not None and session.stake in (Stake.STEPS, Stake.BOOKMARKS):
        return _unsaved(session, history)
    return Question(
        title="A run is in progress",
        text="Closing stops the run and saves it; it can go on later from its file.",
        accept="&Stop and save",
    )


def _unsaved(session: Session, history: "RunHistory") -> Question:
    """Return what to ask where going on loses something for good."""
    if session.stake is Stake.BOOKMARKS:
        text = (
            f"The newest bookmarks of {history.name} could not be written to its file, "
            "and are gone with it. Save a copy keeps them."
        )
    else:
        text = (
            f"Of {history.name}, outer steps {history.stored_step + 1:,} to "
            f"{history.step:,} could not be written to its file, and are gone with it."
        )
    return Question(
        title="Not everything is saved",
        text=text,
        accept="&Go on without",
        remembers=False,
    )
