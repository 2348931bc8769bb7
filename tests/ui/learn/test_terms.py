"""Every setting has its term, and every formula its picture."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from metalab.catalog.components import option_specs
from metalab.catalog.slots import SLOTS
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import fields_of
from metalab.ui.learn.content import ContentError
from metalab.ui.learn.terms import (
    FORMULAS,
    all_terms,
    load_terms,
    term_of_field,
)
from metalab.ui.style.theme import DARK, LIGHT
from tests.support.findings import check_each

VOCABULARY = (
    *("task", "task-family", "support-set", "query-set", "shot", "inner-loop"),
    *("inner-step", "adapted-parameters", "outer-loop", "outer-step", "outer-loss"),
    *("meta-parameters", "hypergradient", "unrolled", "truncated", "first-order"),
    *("implicit", "neumann", "meta-batch", "inner-lr", "outer-lr", "num-inner-steps"),
)


def all_paths() -> set[str]:
    """Return the path of every setting of every component."""
    paths = {info.path for info in fields_of(ExperimentConfig())}
    for slot, registry in SLOTS.items():
        for model in registry.models.values():
            paths |= {f"{slot}.{name}" for name in option_specs(model)}
    return paths


def test_every_setting_of_every_component_is_explained():
    assert {path for path in all_paths() if term_of_field(path) is None} == set()


def test_terms_explain_only_settings_that_there_are():
    named = {path for term in all_terms().values() for path in term.fields}
    assert named <= all_paths()


def test_the_vocabulary_is_explained():
    assert set(VOCABULARY) <= set(all_terms())


def test_a_term_is_one_plain_sentence():
    def check(term):
        assert term.sentence[0].isupper()
        assert term.sentence.endswith(".")
        assert ". " not in term.sentence
        assert not re.search(r"\b(train|test) set|episode", term.sentence)

    check_each(all_terms().values(), check)


def ink(svg: bytes) -> tuple[QColor, int]:
    """Return the strongest colour of a drawing, and how many pixels it touches."""
    drawing = QSvgRenderer(QByteArray(svg))
    assert drawing.isValid()
    image = QImage(drawing.defaultSize(), QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    drawing.render(painter)
    painter.end()
    pixels = [
        image.pixelColor(x, y)
        for x in range(image.width())
        for y in range(image.height())
    ]
    return max(pixels, key=QColor.alpha), sum(pixel.alpha() > 0 for pixel in pixels)


def with_formula() -> list[str]:
    return [key for key, term in all_terms().items() if term.formula]


def test_a_formula_has_its_picture_in_both_themes(qapp):
    def check(key, theme):
        colour, touched = ink(all_terms()[key].picture(theme))
        assert touched > 20
        want = QColor(theme.text)
        for part in (QColor.red, QColor.green, QColor.blue):
            assert part(colour) == pytest.approx(part(want), abs=3)

    cases = [(key, theme) for key in with_formula() for theme in (DARK, LIGHT)]
    check_each(cases, check)


def test_a_picture_is_of_the_formula_as_it_is_now():
    """If not, run packaging/make_formulas.py."""

    def check(key):
        drawn = ElementTree.parse(FORMULAS / f"{key}.svg").getroot()
        assert drawn.findtext("{*}desc") == all_terms()[key].formula

    check_each(with_formula(), check)


def test_there_is_no_picture_without_a_formula():
    drawn = {path.stem for path in FORMULAS.glob("*.svg")}
    assert drawn == {key for key, term in all_terms().items() if term.formula}
    plain = next(term for term in all_terms().values() if not term.formula)
    assert plain.picture(DARK) == b""


def test_a_key_or_field_in_two_terms_is_refused(tmp_path):
    entry = '[[terms]]\nkey = "{}"\nterm = "T"\nsentence = "S."\nsee = "live"\n{}\n'
    file = tmp_path / "terms.toml"
    file.write_text(entry.format("a", "") + entry.format("a", ""))
    with pytest.raises(ContentError, match="key 'a' is in two terms; allowed: in one"):
        load_terms(file)
    field = 'fields = ["run.seed"]'
    file.write_text(entry.format("a", field) + entry.format("b", field))
    with pytest.raises(ContentError, match=r"field 'run\.seed' is in two terms"):
        load_terms(file)


def test_showing_terms_and_cards_loads_no_matplotlib_and_no_torch():
    found = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys, metalab.ui.learn.popover, metalab.ui.learn.start_page, "
            "metalab.ui.learn.lesson_panel, metalab.ui.learn.tour; "
            "from metalab.ui.learn import cards, lesson, terms; "
            "terms.all_terms(); cards.all_cards(); lesson.own_lessons(); "
            "print(*{name.split('.')[0] for name in sys.modules})",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert not {"torch", "matplotlib"} & set(found.stdout.split())
