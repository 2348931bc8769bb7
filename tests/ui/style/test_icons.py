"""Icons: each drawing can be drawn, in the theme's colour, sharply."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon

import metalab
from metalab.core.assets import assets_folder
from metalab.ui.style.icons import app_icon, icon, icon_pixmap, theme_icon
from metalab.ui.style.theme import DARK, LIGHT

NAMES = sorted(path.stem for path in (assets_folder() / "icons").glob("*.svg"))


def distance(one: QColor, other: QColor) -> int:
    return max(abs(a - b) for a, b in zip(one.getRgb(), other.getRgb(), strict=True))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("colour", [DARK.text, LIGHT.text])
def test_a_drawing_is_in_one_colour_and_inside_its_square(qapp, name, colour):
    picture = icon_pixmap(name, colour, 48).toImage()
    seen = set()
    for x in range(48):
        for y in range(48):
            pixel = picture.pixelColor(x, y)
            if pixel.alpha() == 255:
                seen.add(pixel.name())
            if x in (0, 47) or y in (0, 47):
                assert pixel.alpha() == 0
    # Antialiasing rounds.
    assert all(distance(QColor(found), QColor(colour)) <= 2 for found in seen)
    assert seen


def test_an_icon_is_sharp_on_screens_of_any_density(qapp):
    made = icon("play", DARK.text)
    for ratio in (1.0, 2.0, 3.0):
        pixmap = made.pixmap(QSize(20, 20), ratio)
        assert pixmap.size() == QSize(round(20 * ratio), round(20 * ratio))


def test_what_is_off_is_fainter(qapp):
    def strength(mode):
        picture = theme_icon("stop", DARK).pixmap(QSize(20, 20), 1.0, mode).toImage()
        return picture.pixelColor(10, 10).alphaF()

    assert strength(QIcon.Mode.Normal) == 1
    assert 0.3 < strength(QIcon.Mode.Disabled) < 0.5


def test_the_application_has_an_icon(qapp):
    assert not app_icon().pixmap(64, 64).isNull()


def test_assets_are_found_inside_an_installed_package(tmp_path):
    package = tmp_path / "metalab"
    (package / "core").mkdir(parents=True)
    (package / "assets" / "icons").mkdir(parents=True)
    for name in ("__init__.py", "core/assets.py"):
        source = Path(metalab.__file__).parent / name
        (package / name).write_text(source.read_text("utf-8"), encoding="utf-8")
    for room in ("core",):
        (package / room / "__init__.py").write_text("", encoding="utf-8")
    found = subprocess.run(
        [
            *(sys.executable, "-c"),
            "from metalab.core.assets import assets_folder; print(assets_folder())",
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert Path(found.stdout.strip()) == package / "assets"


def test_an_installation_without_assets_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(metalab, "__file__", str(tmp_path / "metalab" / "__init__.py"))
    assets_folder.cache_clear()
    with pytest.raises(FileNotFoundError, match="no assets"):
        assets_folder()
    assets_folder.cache_clear()
