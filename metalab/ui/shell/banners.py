"""Banners: what needs a decision, said above the workspace without stopping anything."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from metalab.analysis.solves import solve_advice
from metalab.runs.record.status import RunStatus
from metalab.runs.running.manager import can_go_on
from metalab.ui.session import engine_access as engine
from metalab.ui.session.phase import Phase
from metalab.ui.session.session import Session
from metalab.ui.style.icons import icon, icon_pixmap
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.widgets.recent_menu import recovered_words

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory
    from metalab.runs.record.recent import RunSummary

WITHOUT_KERNELS = "without_kernels"
"""Key of the choice not to wait for the compiler."""

HALVE = "halve "
"""Begins the key of a choice to halve a setting, whose path follows."""

RECOVER = "recover_"
"""Begins the key of what becomes of a run that a crash has left."""

_STRIPE = 3
_BAR, _BAR_STEPS = 4, 1000
_ICON = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerSpec:
    """What a banner says and offers.

    Attributes:
        tone: Role of the theme: "warning" or "error". Also the name of the icon.
        title: What happened.
        text: The rest, in a sentence or two.
        buttons: Key and label of each choice.
        share: Done of what goes on, from 0 to 1; None where nothing does.
    """

    tone: str
    title: str
    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    share: float | None = None

    def continues(self, other: "BannerSpec | None") -> bool:
        """Return whether this is another one that has come further, or the very same."""
        if other is None or self.share is None or other.share is None:
            return self == other
        return self.title == other.title

    @property
    def offers_recovery(self) -> bool:
        """Whether it offers a run that a crash has left."""
        return any(key.startswith(RECOVER) for key, _ in self.buttons)


_ICONS = {"accent": "info"}
"""Icons of tones that have none of their own name."""


def banner_for(session: Session) -> BannerSpec | None:
    """Return what most needs a decision, or None."""
    if session.notice is not None:
        title, text, tone, buttons = session.notice
        return BannerSpec(tone=tone, title=title, text=text, buttons=buttons)
    if session.recovered is not None and not session.busy:
        return _recovered(session.recovered)
    history = session.history
    return None if history is None else _banner_of(session, history)


def _recovered(run: "RunSummary") -> BannerSpec:
    """Offer what a crash has left."""
    resume = (("recover_resume", "Resume"),) if run.can_go_on else ()
    return BannerSpec(
        tone="accent",
        title=recovered_words(run),
        text="metalab did not close properly while it was running.",
        buttons=(
            *resume,
            ("recover_open", "Open"),
            ("recover_discard", "Discard"),
        ),
    )


def _banner_of(session: Session, history: "RunHistory") -> BannerSpec | None:
    if history.status is RunStatus.FAILED and session.phase is Phase.IDLE:
        return _failed(history)
    if history.storage_problem is not None and session.training:
        return BannerSpec(
            tone="error",
            title="The run cannot be saved",
            text=f"{history.storage_problem}. It is kept in memory and tried again.",
        )
    if history.diverged is not None:
        return _diverged(history, paused=session.phase is Phase.PAUSED)
    return (
        _compiling(history)
        or _cut_short(history)
        or _unstable(session, history)
        or _badly_solved(history)
    )


def _cut_short(history: "RunHistory") -> BannerSpec | None:
    if not history.cut_short:
        return None
    title = "Complete to outer step {:,} of {:,}"
    resume = (("retry", "Resume"),) if can_go_on(history) else ()
    return BannerSpec(
        tone="accent",
        title=title.format(history.step, history.num_steps),
        text="The run was killed or goes on elsewhere, or this file is a copy that was "
        "made while it went on.",
        buttons=resume,
    )


def _compiling(history: "RunHistory") -> BannerSpec | None:
    if history.status is not RunStatus.COMPILING:
        return None
    if history.provider_reason:
        return BannerSpec(
            tone="accent",
            title="Compiling the outer step",
            text=f"{history.provider_reason}; then the run begins.",
        )
    compiling = history.compiling
    if compiling is None:
        return None
    left = compiling.seconds_left
    times = f"{compiling.seconds:.0f} s so far"
    if left is not None:
        times = f"{times}, about {left:.0f} s to go"
    doing = f", last {compiling.name}" if compiling.name else ""
    without = (WITHOUT_KERNELS, "Start without kernels")
    return BannerSpec(
        tone="accent",
        title="Compiling kernels, once on this machine",
        text=f"{times}{doing}; then the run begins.",
        buttons=() if compiling.needed else (without,),
        share=compiling.share,
    )


def _failed(history: "RunHistory") -> BannerSpec:
    failure = history.failure
    title = f"Run stopped at outer step {history.step:,}"
    if history.stored_step > 0:
        title += f"; saved up to {history.stored_step:,}"
    again = "Resume" if can_go_on(history) else "Retry"
    return BannerSpec(
        tone="error",
        title=title,
        text="" if failure is None else failure.message,
        buttons=(("details", "Details"), ("retry", again)),
    )


def _diverged(history: "RunHistory", *, paused: bool) -> BannerSpec:
    assert history.diverged is not None, "nothing has diverged"
    buttons: list[tuple[str, str]] = []
    told = engine.divergence_advice(history)
    if told.halved:
        label = f"Halve {_in_a_sentence(told.label)} and restart"
        buttons.append((HALVE + told.halved, label))
    if paused:
        buttons.append(("go_on_anyway", "Resume anyway"))
    return BannerSpec(
        tone="warning",
        title="Training diverged",
        text=f"{history.diverged.message} {told.text}".rstrip(),
        buttons=tuple(buttons),
    )


def _unstable(session: Session, history: "RunHistory") -> BannerSpec | None:
    warning = history.stability_warning
    if warning is None or not session.training:
        return None
    buttons: list[tuple[str, str]] = []
    if warning.steady_lr is not None:
        buttons.append((f"{HALVE}inner.inner_lr", "Halve inner lr and restart"))
    return BannerSpec(
        tone="warning",
        title="This run may diverge",
        text=warning.message,
        buttons=tuple(buttons),
    )


def _badly_solved(history: "RunHistory") -> BannerSpec | None:
    """Say it of the step where it began: what was closed does not come back by itself."""
    worry = history.solves_worry
    if worry is None:
        return None
    definite = worry.solves.not_positive_definite == 0
    meaning = (
        "The hypergradient is off by as much"
        if definite
        else "The adapted parameters of those tasks are no minimum of the inner loss"
    )
    hint = solve_advice(history.config_at(worry.step), worry.solves)
    text = f"At outer step {worry.step:,}: {worry.solves.words}. {meaning}. {hint}"
    return BannerSpec(
        tone="warning",
        title="Linear systems are not solved"
        if definite
        else "Linear systems are not positive definite",
        text=text.strip(),
    )


def _in_a_sentence(label: str) -> str:
    """Return a label of the form as it stands within a sentence: "inner lr"."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


class BannerArea(QWidget):
    """Shows one banner, or takes no room.

    Attributes:
        button_clicked: Key of the choice that was made.
        dismissed: The banner was closed.
    """

    button_clicked = Signal(str)
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec: BannerSpec | None = None
        self._closed: BannerSpec | None = None
        self._icon = QLabel(self)
        self._text = QLabel(self)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._title = QLabel(self)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        bold = self._title.font()
        bold.setBold(True)
        self._title.setFont(bold)
        self._bar = self._make_bar()
        self._close = QToolButton(self)
        self._close.setAutoRaise(True)
        self._close.setIconSize(QSize(16, 16))
        self._close.setAccessibleName("Dismiss")
        self._close.setToolTip("Dismiss")
        self._close.clicked.connect(self._on_closed)
        self._choices = QHBoxLayout()
        self._choices.setSpacing(8)
        row = QHBoxLayout(self)
        row.setContentsMargins(_STRIPE + 10, 7, 8, 7)
        row.setSpacing(10)
        row.addWidget(self._icon)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self._title)
        words.addWidget(self._text)
        words.addWidget(self._bar)
        row.addLayout(words, 1)
        row.addLayout(self._choices)
        row.addWidget(self._close)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.hide()
        follow_theme(self._take_theme)

    def _make_bar(self) -> QProgressBar:
        bar = QProgressBar(self)
        bar.setTextVisible(False)
        bar.setFixedHeight(_BAR)
        bar.setRange(0, _BAR_STEPS)
        bar.setAccessibleName("Done")
        return bar

    @property
    def spec(self) -> BannerSpec | None:
        """What is shown."""
        return self._spec

    def show_banner(self, spec: BannerSpec | None) -> None:
        """Show a banner, unless the very same was dismissed just before."""
        if spec is None:
            self._closed = None
        closed = spec is not None and spec.continues(self._closed)
        wanted = None if closed else spec
        if wanted == self._spec:
            return
        self._spec = wanted
        if wanted is not None:
            self._fill(wanted)
        self.setVisible(wanted is not None)

    def _take_theme(self, theme: Theme) -> None:
        self._close.setIcon(icon("close", theme.text))
        if self._spec is not None:
            self._draw_icon(self._spec)

    def buttons(self) -> list[QPushButton]:
        """Return the buttons of the choices, in order."""
        return self.findChildren(
            QPushButton, options=Qt.FindChildOption.FindDirectChildrenOnly
        )

    def _fill(self, spec: BannerSpec) -> None:
        self._draw_icon(spec)
        self._title.setText(spec.title)
        self._text.setText(spec.text)
        self._text.setVisible(bool(spec.text))
        self._bar.setVisible(spec.share is not None)
        self._bar.setValue(round(_BAR_STEPS * (spec.share or 0.0)))
        self.setAccessibleName(f"{spec.title}. {spec.text}")
        if tuple((b.objectName(), b.text()) for b in self.buttons()) == spec.buttons:
            # One may just be pressed.
            return
        for button in self.buttons():
            # Gone at once, not only at the next turn of the event loop.
            button.setParent(None)
            button.deleteLater()
        for key, label in spec.buttons:
            button = QPushButton(label, self)
            button.setObjectName(key)
            button.clicked.connect(self._on_clicked)
            self._choices.addWidget(button)

    def _draw_icon(self, spec: BannerSpec) -> None:
        colour = getattr(current_theme(), spec.tone)
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(
            icon_pixmap(_ICONS.get(spec.tone, spec.tone), colour, _ICON, ratio)
        )

    def _on_clicked(self) -> None:
        self.button_clicked.emit(self.sender().objectName())

    def _on_closed(self) -> None:
        self._closed = self._spec
        self.show_banner(self._spec)
        self.dismissed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Draw a tinted ground with a stripe of the tone at its beginning."""
        if self._spec is None:
            return
        painter = QPainter(self)
        colour = QColor(getattr(current_theme(), self._spec.tone))
        tint = QColor(colour)
        tint.setAlphaF(0.12)
        painter.fillRect(self.rect(), tint)
        painter.fillRect(0, 0, _STRIPE, self.height(), colour)
        painter.end()
