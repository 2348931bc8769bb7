"""Reasons why a command is disabled, in words for its tooltip; "" where it is enabled."""

from metalab.ui.session import engine_access as engine
from metalab.ui.session.phase import Phase
from metalab.ui.session.session import Session


def always(_session: Session) -> str:
    """Return "": some commands need nothing."""
    return ""


def why_not_start(session: Session) -> str:
    """Return why no new run can begin."""
    if reason := why_not_code(session):
        return reason
    if session.config is not None and (
        problem := engine.device_problem(session.config)
    ):
        return f"A setting is not allowed: {problem}"
    return "A run file is being read" if session.reading else ""


def why_not_run(session: Session) -> str:
    """Return why nothing can run, pause or make a step."""
    if session.phase in (Phase.RUNNING, Phase.PAUSED):
        return ""
    return _why_busy(session) or why_not_start(session)


def why_not_stop(session: Session) -> str:
    """Return why there is nothing to stop."""
    if session.phase in (Phase.RUNNING, Phase.PAUSED):
        return ""
    return _why_busy(session) or "No run is in progress"


def why_not_reset(session: Session) -> str:
    """Return why no run can be started over."""
    if session.loaded and session.history is None:
        return "There is no run yet"
    return why_not_start(session)


def why_not_fork(session: Session) -> str:
    """Return why no run can begin where another one stood."""
    history = session.history
    if session.loaded and (history is None or len(history.trail) == 0):
        return "There is no run to fork from"
    return why_not_start(session)


def why_not_open(session: Session) -> str:
    """Return why no run file can be opened, and no card or lesson begun.

    The experiment in the form is of no matter: it is replaced.
    """
    if not session.loaded:
        return session.loading_text
    return "A run file is being read" if session.reading else ""


def why_not_reopen(session: Session) -> str:
    """Return why there is no last run to open."""
    if reason := why_not_open(session):
        return reason
    return "" if session.last_run is not None else "There is no other run yet"


def why_not_back(session: Session) -> str:
    """Return why there is no run to go back to."""
    if reason := why_not_open(session):
        return reason
    return "" if session.has_run_before else "No other run was shown before"


def why_not_forward(session: Session) -> str:
    """Return why there is no run to go forward to."""
    if reason := why_not_open(session):
        return reason
    return "" if session.has_run_after else "No run was come back from"


def why_not_bookmark(session: Session) -> str:
    """Return why no outer step can be marked."""
    return why_not_export(session) or _why_busy(session)


def why_not_copy(session: Session) -> str:
    """Return why the run cannot be written to another file."""
    history = session.history
    if history is None or history.path is None:
        return "There is no run in a file yet"
    return "A copy is being written" if session.copying else ""


def why_not_report(session: Session) -> str:
    """Return why there is no report: it is made from a run's file."""
    history = session.history
    kept = history is not None and history.path is not None
    return "" if kept else "There is no run in a file yet"


def why_not_edit(session: Session) -> str:
    """Return why there is no form."""
    return "" if session.loaded else session.loading_text


def why_not_code(session: Session) -> str:
    """Return why there is no experiment to be copied."""
    if session.loaded and session.config is None:
        return f"A setting is not allowed: {session.problem}"
    return why_not_edit(session)


def why_not_export(session: Session) -> str:
    """Return why there is nothing to draw for paper."""
    history = session.history
    if history is None or history.held_out_tasks is None:
        return "There is no run yet"
    return ""


def _why_busy(session: Session) -> str:
    if session.reading:
        return "A run file is being read"
    return "The run is being saved" if session.phase is Phase.STOPPING else ""
