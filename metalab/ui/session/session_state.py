"""What of a session makes its views look again."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metalab.ui.session.session import Session


def announced(session: "Session") -> tuple[object, ...]:
    """Return what buttons, banners and menus depend on."""
    history = session.history
    state: tuple[object, ...] = (
        session.phase,
        session.loading_text,
        session.problem,
        session.config,
        session.reading,
        session.notice,
        session.resumable,
        session.copying,
        session.recent,
        session.recovered,
        session.has_run_before,
        session.has_run_after,
    )
    if history is None:
        return state
    return (
        *state,
        history.status,
        history.compiling,
        history.cut_short,
        history.path,
        history.probe_tasks is None,
        len(history.trail) == 0,
        history.diverged,
        history.stability_warning,
        history.failure,
        history.storage_problem,
        history.edit_problem,
        history.bookmarks,
    )
