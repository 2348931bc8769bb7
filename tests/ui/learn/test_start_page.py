"""The first page."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from metalab.ui.learn.cards import all_cards
from metalab.ui.learn.start_page import StartPage
from metalab.ui.style.theme import DARK, LIGHT, Theme
from metalab.ui.style.theming import change_theme, current_theme


@pytest.fixture
def page(shown: Callable[[QWidget], None]) -> StartPage:
    made = StartPage()
    made.resize(900, 700)
    shown(made)
    return made


@pytest.mark.parametrize("key", all_cards())
def test_a_click_anywhere_on_a_card_chooses_it(qtbot: QtBot, page: StartPage, key: str):
    card = page.cards[key]
    for spot in (card.rect().center(), card.rect().bottomLeft()):
        with qtbot.waitSignal(page.card_chosen) as chosen:
            qtbot.mouseClick(card, Qt.MouseButton.LeftButton, pos=spot)
        assert chosen.args == [key]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_keys_choose_the_card_with_the_focus(qtbot: QtBot, page: StartPage, key):
    page.cards["maml"].setFocus()
    qtbot.keyClick(page.cards["maml"], Qt.Key.Key_Tab)
    card = page.cards["reptile"]
    assert QApplication.focusWidget() is card
    with qtbot.waitSignal(page.card_chosen) as chosen:
        qtbot.keyClick(card, key)
    assert chosen.args == ["reptile"]


def test_the_tab_key_goes_through_the_cards_and_then_the_buttons(
    qtbot: QtBot, page: StartPage
):
    ways = [page.open_button, page.data_button, page.tour_button]
    order = [*page.cards.values(), *ways]
    order[0].setFocus()
    for widget in order:
        assert QApplication.focusWidget() is widget
        qtbot.keyClick(widget, Qt.Key.Key_Tab)


def test_a_card_tells_readers_what_it_is(page: StartPage):
    for key, card in page.cards.items():
        assert card.accessibleName() == all_cards()[key].title
        assert card.accessibleDescription() == all_cards()[key].sentence


def test_the_ways_to_a_run_and_to_the_tour(qtbot: QtBot, page: StartPage):
    with qtbot.waitSignal(page.open_requested):
        qtbot.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.data_requested):
        qtbot.mouseClick(page.data_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.tour_requested):
        qtbot.mouseClick(page.tour_button, Qt.MouseButton.LeftButton)


def test_nothing_can_be_chosen_before_the_engine_is_there(
    qtbot: QtBot, page: StartPage
):
    page.set_ready(ready=False, reason="Loading the engine")
    with qtbot.assertNotEmitted(page.card_chosen):
        qtbot.mouseClick(page.cards["maml"], Qt.MouseButton.LeftButton)
    assert page.cards["maml"].toolTip() == "Loading the engine"
    page.set_ready(ready=True)
    with qtbot.waitSignal(page.card_chosen):
        qtbot.mouseClick(page.cards["maml"], Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(("width", "columns"), [(1100, 3), (620, 2), (520, 2)])
def test_cards_are_of_one_size_in_as_many_columns_as_have_room(
    page: StartPage, width: int, columns: int
):
    for before in (1100, 520):
        page.resize(before, 700)
        QApplication.processEvents()
        page.resize(width, 700)
        QApplication.processEvents()
        assert page.grid.columns == columns
        cells = [card.geometry() for card in page.cards.values()]
        assert len({cell.left() for cell in cells}) == columns
        sizes = [cell.size() for cell in cells]
        assert all(abs(a.width() - sizes[0].width()) <= 1 for a in sizes)
        assert all(abs(a.height() - sizes[0].height()) <= 1 for a in sizes)
        assert max(cell.right() for cell in cells) < page.grid.width() <= width


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("size", [QSize(1100, 800), QSize(520, 540)], ids=str)
@pytest.mark.sampled(2)
def test_pictures_are_painted_in_the_theme(page: StartPage, theme: Theme, size: QSize):
    change_theme(theme)
    page.resize(size)
    for card in page.cards.values():
        image = card.grab().toImage()
        colours = {
            image.pixelColor(x, y).name()
            for x in range(image.width())
            for y in range(image.height())
        }
        assert QColor(theme.surface).name() in colours
        assert QColor(theme.raised).name() in colours
        roles = [line.role for line in card.card.drawing.lines] or ["support"]
        assert {getattr(theme, role) for role in roles} <= colours


def test_titles_of_all_cards_stand_at_one_height(page: StartPage):
    """Also where one sentence takes a line more than the others."""
    page.resize(935, 620)
    raised = QColor(current_theme().raised).rgb()
    heights = {card.text_height() for card in page.cards.values()}
    assert len(heights) > 1, "no sentence is longer than another at this width"
    for card in page.cards.values():
        image = card.grab().toImage()
        column = [image.pixel(5, y) == raised for y in range(image.height() - 10)]
        below = column[::-1].index(False) + 10
        assert abs(below - max(heights)) <= 2
