"""The pages of the centre: made when first looked at, told only while they are seen."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from metalab.ui.timeline.moment_badge import MomentBadge
from metalab.ui.widgets.plain_text import plain_label
from metalab.ui.workspaces.base import Workspace
from metalab.ui.workspaces.registry import WORKSPACES, page_shortcut
from metalab.ui.workspaces.spec import WorkspaceSpec

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig
    from metalab.ui.session.moment import Moment
    from metalab.ui.workspaces.live.workspace import LiveWorkspace


class WorkspaceTabs(QTabWidget):
    """One tab a line of `WORKSPACES`; the first page exists from the start.

    Attributes:
        page_made: A page that was looked at for the first time.
        page_shown: Another page is seen: its key.
        newest_requested: The newest moment shall be shown.
        badge: Says when the past is shown.
    """

    page_made = Signal(object)
    page_shown = Signal(str)
    newest_requested = Signal()

    def __init__(self, live: "LiveWorkspace", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages: dict[str, Workspace] = {"live": live}
        self._holders: dict[str, QWidget] = {}
        self._states: dict[str, Any] = {}
        self._moment: Moment | None = None
        self._config: ExperimentConfig | None = None
        self._why_not = ""
        self.badge = MomentBadge(self)
        self._example = False
        self.setDocumentMode(True)
        self.setCornerWidget(self.badge, Qt.Corner.TopRightCorner)
        self.badge.clicked.connect(self.newest_requested)
        self.setAccessibleName("Workspaces")
        self.tabBar().setAccessibleName("Workspaces")
        for spec in WORKSPACES:
            self._add(spec)
        self._hold("live", live)
        self.currentChanged.connect(self._on_current_changed)

    def _add(self, spec: WorkspaceSpec) -> None:
        holder = QWidget(self)
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        self._holders[spec.key] = holder
        index = self.addTab(holder, plain_label(spec.text))
        self.setTabToolTip(index, f"{spec.tooltip} ({page_shortcut(spec)})")

    def _hold(self, key: str, page: Workspace) -> None:
        layout = self._holders[key].layout()
        assert layout is not None, "a holder has a layout"
        layout.addWidget(page)
        if not page.accessibleName():
            page.setAccessibleName(self.tabText(self.indexOf(self._holders[key])))
        # Not before the next event otherwise.
        page.show()

    @property
    def current_key(self) -> str:
        """Key of the page that is seen."""
        return WORKSPACES[self.currentIndex()].key

    @property
    def current(self) -> Workspace:
        """The page that is seen."""
        return self.page(self.current_key)

    @property
    def made(self) -> list[Workspace]:
        """The pages that exist."""
        return list(self._pages.values())

    def page(self, key: str) -> Workspace:
        """Return a page; it is made if it has never been looked at."""
        page = self._pages.get(key)
        if page is None:
            spec = next(spec for spec in WORKSPACES if spec.key == key)
            module, name = spec.page.split(":")
            page = getattr(import_module(module), name)()
            assert isinstance(page, Workspace), "a page is a workspace"
            self._pages[key] = page
            self._hold(key, page)
            page.restore_state(_mapping(self._states.get(key)))
            page.show_config(self._config)
            page.set_why_not(self._why_not)
            self.page_made.emit(page)
        return page

    def show_page(self, key: str) -> None:
        """Bring a page to the front."""
        keys = [spec.key for spec in WORKSPACES]
        assert key in keys, f"there is no workspace {key!r}"
        self.setCurrentIndex(keys.index(key))

    def show_moment(self, moment: "Moment | None") -> None:
        """Show a moment in the page that is seen."""
        self._moment = moment
        self.badge.show_moment(None if self._example else moment)
        if self.isVisible():
            self._show()

    def set_example(self, *, on: bool) -> None:
        """Say whether the moment is of the example, which not every page shows."""
        self._example = on

    def _show(self) -> None:
        page = self.current
        hidden = self._example and not page.shows_example
        page.show_moment(None if hidden else self._moment)

    def show_config(self, config: "ExperimentConfig | None") -> None:
        """Tell every page of the experiment in the form."""
        self._config = config
        for page in self.made:
            page.show_config(config)

    def set_why_not(self, reason: str) -> None:
        """Tell every page why no run can begin; "" if one can."""
        self._why_not = reason
        for page in self.made:
            page.set_why_not(reason)

    def save_state(self) -> dict[str, Any]:
        """Return what is remembered: each page's choices, and which one is seen."""
        made = {key: page.save_state() for key, page in self._pages.items()}
        return self._states | made | {"shown": self.current_key}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take what was remembered; a page is still made only when it is looked at."""
        self._states = dict(state)
        for key, page in self._pages.items():
            page.restore_state(_mapping(state.get(key)))
        shown = state.get("shown")
        if isinstance(shown, str) and shown in self._holders:
            self.show_page(shown)

    def shut_down(self) -> None:
        """Have the threads and timers of every page end; returns at once."""
        for page in self.made:
            page.shut_down()

    def join(self) -> None:
        """Wait for the threads of every page, after `shut_down`."""
        for page in self.made:
            page.join()

    def _on_current_changed(self) -> None:
        self._show()
        self.page_shown.emit(self.current_key)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
