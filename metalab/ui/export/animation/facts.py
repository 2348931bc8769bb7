"""The line of the animation dialog that says how long and how large a film becomes."""

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QLabel, QWidget

from metalab.figures.animation.choices import AnimationChoices
from metalab.ui.export.animation.work import Weight

_MB = 1_000_000
"""From here on a decimal is worth telling."""


class AnimationFacts(QLabel):
    """Frames, seconds, pixels and, once frames have been drawn, bytes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a film."""
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAccessibleName(self.tr("Film"))

    def show_film(
        self,
        choices: AnimationChoices,
        num_frames: int,
        suffix: str,
        weight: Weight | None,
    ) -> None:
        """Tell of a film.

        Args:
            choices: What it is.
            num_frames: How many there are.
            suffix: Of its format.
            weight: What its frames take; None if that is not known yet.
        """
        width, height = choices.pixels
        parts = [
            self.tr("{} frames").format(num_frames),
            self.tr("{:.1f} s").format(choices.seconds(num_frames)),
            self.tr("{} × {} pixels").format(width, height),
        ]
        if weight is not None:
            size = round(weight.of_file(num_frames, suffix))
            told = QLocale().formattedDataSize(
                size, int(size >= _MB), QLocale.DataSizeFormat.DataSizeSIFormat
            )
            parts.append(self.tr("about {}").format(told))
        self.setText(" · ".join(parts))
