"""Texts with lowered and raised signs."""

from PySide6.QtGui import QFont

from metalab.ui.workspaces.structure.text import fitted, plain_text, text_width


def test_marks_take_no_room(qapp):
    font = QFont()
    assert text_width("θ_0", font) < text_width("θ0", font)
    assert text_width("A^{−1}", font) < text_width("A−1", font)


def test_what_does_not_fit_is_cut_between_signs(qapp):
    font = QFont()
    whole = "θ_{K−1} and θ_K"
    assert fitted(whole, font, 1000) == whole
    for width in range(0, 200, 3):
        cut = fitted(whole, font, width)
        assert text_width(cut, font) <= width
        assert cut.count("{") == cut.count("}")


def test_who_listens_hears_no_braces():
    assert plain_text("θ_{K−1}^T") == "θ_K−1^T"
