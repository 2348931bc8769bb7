"""Rows of the export dialog's forms."""

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QWidget


def add_row(form: QFormLayout, text: str, field: QWidget, editor: QWidget) -> None:
    """Add a row whose label leads to its editor.

    Args:
        form: Where to add it.
        text: With a mnemonic.
        field: What stands beside the label.
        editor: The part of the field that is edited.
    """
    label = QLabel(text)
    label.setBuddy(editor)
    editor.setAccessibleName(text.replace("&", ""))
    form.addRow(label, field)


def dense_form(parent: QWidget) -> QFormLayout:
    """Return an empty form that fills a part of a dialog."""
    form = QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(8)
    form.setHorizontalSpacing(12)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def align_labels(forms: Sequence[QFormLayout]) -> None:
    """Make the labels of several forms equally wide, so that their fields align."""
    role = QFormLayout.ItemRole.LabelRole
    items = [form.itemAt(row, role) for form in forms for row in range(form.rowCount())]
    # A row without a label has no item there, whatever the stubs say.
    labels = [label for item in items if item and (label := item.widget())]
    width = max(label.sizeHint().width() for label in labels)
    for label in labels:
        label.setMinimumWidth(width)


def choice_box(
    entries: Sequence[tuple[str, object]], chosen: object, parent: QWidget
) -> QComboBox:
    """Return a list to choose from.

    Args:
        entries: Text and value of each entry.
        chosen: Value of the current one; the first if it is not among them.
        parent: Where it stands.
    """
    box = QComboBox(parent)
    for text, value in entries:
        box.addItem(text, value)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    box.setSizeAdjustPolicy(
        QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    )
    return box
