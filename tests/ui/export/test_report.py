"""Reports from the window: asked for, written in the background, told of."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget

from metalab.core.errors import UserError
from metalab.ui.export import report
from metalab.ui.export.report import ReportWriter

SOON = 20_000


@pytest.fixture
def writer(no_leaks, qtbot):
    made = ReportWriter()
    yield made
    qtbot.waitUntil(lambda: not made.busy, timeout=SOON)
    made._jobs.close()


def test_a_report_is_written_beside_the_window(writer, qtbot, monkeypatch, tmp_path):
    asked = []

    def write(paths, target):
        asked.append((paths, target))
        return target

    monkeypatch.setattr(report, "_write", write)
    window = QWidget()
    qtbot.addWidget(window)
    dialog = writer.ask([Path("a.metalab"), Path("b.metalab")], window)
    assert dialog.selectedFiles()[0].endswith("comparison.html")
    dialog.filterSelected.emit("PDF (*.pdf)")
    assert dialog.defaultSuffix() == "pdf"
    told = []
    writer.told.connect(lambda *words: told.append(words[:2]))
    dialog.fileSelected.emit(str(tmp_path / "x.pdf"))
    dialog.close()
    qtbot.waitUntil(lambda: len(told) == 2, timeout=SOON)
    assert told == [
        ("The report x.pdf is being written…", ""),
        ("The report was written: x.pdf", "Open"),
    ]
    files = (Path("a.metalab"), Path("b.metalab"))
    assert asked == [(files, tmp_path / "x.pdf")]


def test_why_a_report_is_not_written_is_told(writer, qtbot, tmp_path):
    told = []
    writer.told.connect(lambda *words: told.append(words[0]))
    writer.write([tmp_path / "none.metalab"], tmp_path / "x.docx")
    qtbot.waitUntil(lambda: len(told) == 2, timeout=SOON)
    words = told[1]
    assert words.startswith("The report was not written:")
    assert "allowed: .html, .pdf" in words
    with pytest.raises(UserError, match=r"none\.metalab"):
        report._write([tmp_path / "none.metalab"], tmp_path / "x.pdf")
