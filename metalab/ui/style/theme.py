"""Colours, in one place: two palettes and the roles that views ask for.

Series colours are Okabe and Ito's, adjusted in lightness to keep at least 3:1 contrast
with the plot background of their palette, and apart from each other for the colour-blind;
text keeps at least 4.5:1.
"""

from dataclasses import dataclass, replace

from PySide6.QtGui import QColor, QPalette


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A palette by role. Every colour is "#rrggbb".

    Attributes:
        name: "dark" or "light".
        window: Behind docks and dialogs.
        surface: Behind plots, fields and tables.
        box: Inside a check box.
        raised: Buttons, headers, hovered rows.
        border: Lines between surfaces.
        text: Ordinary text.
        muted: Labels, units, ticks.
        grid: Lines of a plot's grid.
        accent: Selection, focus, the running state.
        on_accent: Text on `accent`.
        after: Losses after adaptation; the strong series.
        before: Losses before adaptation; the faint series.
        evaluation: Held-out evaluation.
        support: Support points and losses.
        query: Query points and losses.
        truth: The true curve.
        ramp_start: Inner step 0 of a ramp.
        ramp_end: The last inner step.
        good: Finished, safe.
        warning: Paused by itself, degraded.
        error: Failed, invalid.
        scale: How much thicker lines and larger points of plots are than ordinary ones.
    """

    name: str
    window: str
    surface: str
    box: str
    raised: str
    border: str
    text: str
    muted: str
    grid: str
    accent: str
    on_accent: str
    after: str
    before: str
    evaluation: str
    support: str
    query: str
    truth: str
    ramp_start: str
    ramp_end: str
    good: str
    warning: str
    error: str
    scale: float = 1.0

    @property
    def dark(self) -> bool:
        """Whether text is lighter than its background."""
        return self.name == "dark"

    def scaled(self, scale: float) -> "Theme":
        """Return the same colours, with thicker lines and larger points in plots."""
        return self if scale == self.scale else replace(self, scale=scale)

    def ramp(self, count: int) -> list[str]:
        """Return `count` colours from inner step 0 to the last one."""
        start, end = QColor(self.ramp_start), QColor(self.ramp_end)
        colours: list[str] = []
        for index in range(count):
            share = index / max(count - 1, 1)
            mixed = [
                round(a + (b - a) * share)
                for a, b in zip(start.getRgb()[:3], end.getRgb()[:3], strict=True)  # pyright: ignore[reportArgumentType, reportIndexIssue, reportOperatorIssue] - the stubs say object
            ]
            colours.append(QColor(*mixed).name())
        return colours


DARK = Theme(
    name="dark",
    window="#1b1d22",
    surface="#131519",
    box="#454c59",
    raised="#292d35",
    border="#363b45",
    text="#e8eaee",
    muted="#a0a8b5",
    grid="#2a2e36",
    accent="#4ea8de",
    on_accent="#0c1116",
    after="#56b4e9",
    before="#8b93a1",
    evaluation="#f0c244",
    support="#f08a3c",
    query="#35c79b",
    truth="#e8eaee",
    ramp_start="#35506b",
    ramp_end="#7fd0ff",
    good="#35c79b",
    warning="#f0c244",
    error="#ff7a6b",
)

LIGHT = Theme(
    name="light",
    window="#f3f4f6",
    surface="#ffffff",
    box="#ffffff",
    raised="#e6e9ee",
    border="#cdd2da",
    text="#1a1e25",
    muted="#565e6c",
    grid="#e4e7ec",
    accent="#0072b2",
    on_accent="#ffffff",
    after="#0072b2",
    before="#8a919d",
    evaluation="#b98300",
    support="#c04c00",
    query="#008a63",
    truth="#1a1e25",
    ramp_start="#b9d6ea",
    ramp_end="#00507d",
    good="#008a63",
    warning="#a87500",
    error="#c0321f",
)

THEMES = {theme.name: theme for theme in (DARK, LIGHT)}


def qt_palette(theme: Theme) -> QPalette:
    """Return Qt's palette for a theme, disabled roles included."""
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.surface,
        role.AlternateBase: theme.window,
        role.Text: theme.text,
        role.PlaceholderText: theme.muted,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.error,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.accent,
        role.Mid: theme.border,
        role.Light: theme.raised,
        role.Midlight: theme.raised,
        role.Dark: theme.border,
        role.Shadow: theme.border,
        role.Accent: theme.accent,
    }
    palette = QPalette()
    for which, colour in colours.items():
        palette.setColor(which, QColor(colour))
    muted = QColor(theme.muted)
    muted.setAlphaF(0.6)
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, muted)
    return palette
