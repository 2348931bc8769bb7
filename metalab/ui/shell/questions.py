"""Questions before a run in view ends, or is gone, in words."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from metalab.ui.session.phase import Stake
from metalab.ui.session.session import Session
from metalab.ui.widgets.dialogs import Question

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory


def _tr(text: str) -> str:
    return QCoreApplication.translate("questions", text)


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
    kept = _tr("it is stopped and kept; it can go on later from its file")
    lost = _tr("it is stopped; it is not kept in a file")
    return Question(
        title=_tr("A run is in progress"),
        text=_tr("{} stands at outer step {:,} of {:,}. To {}, {}.").format(
            history.name,
            history.step,
            history.num_steps,
            doing,
            lost if history.path is None else kept,
        ),
        accept=_tr("&Stop and keep") if history.path is not None else _tr("&Stop"),
    )


def question_before_closing(session: Session) -> Question:
    """Return what to ask before the window closes."""
    history = session.history
    if history is not None and session.stake in (Stake.STEPS, Stake.BOOKMARKS):
        return _unsaved(session, history)
    return Question(
        title=_tr("A run is in progress"),
        text=_tr(
            "Closing stops the run and saves it; it can go on later from its file."
        ),
        accept=_tr("&Stop and save"),
    )


def _unsaved(session: Session, history: "RunHistory") -> Question:
    """Return what to ask where going on loses something for good."""
    if session.stake is Stake.BOOKMARKS:
        text = _tr(
            "The newest bookmarks of {} could not be written to its file, and are gone "
            "with it. Save a copy keeps them."
        ).format(history.name)
    else:
        text = _tr(
            "Of {}, outer steps {:,} to {:,} could not be written to its file, and are "
            "gone with it."
        ).format(history.name, history.stored_step + 1, history.step)
    return Question(
        title=_tr("Not everything is saved"),
        text=text,
        accept=_tr("&Go on without"),
        remembers=False,
    )
