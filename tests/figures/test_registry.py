import subprocess
import sys

import pytest

from metalab.figures.base import LEGENDS, X_AXES, FigureChoices
from metalab.figures.errors import FigureError
from metalab.figures.names import figure_names
from metalab.figures.registry import figure_named, figures
from metalab.figures.sizes import size_named
from metalab.ui.workspaces.registry import WORKSPACES


def test_every_module_is_found_by_its_name():
    assert list(figures()) == [
        *("adapt", "adaptation", "diagnostics", "estimators", "gallery", "inner-loss"),
        *("landscape", "learned-rates", "losses", "structure"),
    ]
    # For the help of the command line, which has no time to import them.
    assert figure_names() == tuple(figures())
    for name, spec in figures().items():
        assert spec.name == name
        assert spec.title


def test_the_heeded_choices_exist():
    fields = set(FigureChoices.__dataclass_fields__)
    for spec in figures().values():
        assert spec.heeds <= fields


def test_unknown_names_say_what_is_allowed():
    with pytest.raises(FigureError, match="'loss'; allowed: adapt, adaptation, diag"):
        figure_named("loss")
    with pytest.raises(FigureError, match="'poster'; allowed: single, double, slide"):
        size_named("poster")


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"task": -1}, "task is -1; allowed: 0 or more"),
        ({"smoothing": 0.98}, "smoothing is 0.98; allowed: 0 to 0.5"),
        ({"smoothing": float("nan")}, "smoothing is nan"),
        ({"x": "wall time"}, f"x is 'wall time'; allowed: {', '.join(X_AXES)}"),
        ({"legend": "best"}, f"legend is 'best'; allowed: {', '.join(LEGENDS)}"),
    ],
)
def test_choices_refuse_what_cannot_be_drawn(choice, message):
    with pytest.raises(FigureError, match=message):
        FigureChoices(**choice)


def test_every_page_has_a_figure_and_every_figure_a_page():
    """Of those that show one run: what many runs show is written by commands."""
    of_many = {"runs", "sweep", "compare"}
    pages = {spec.key for spec in WORKSPACES} - {"start"} - of_many
    assert {spec.page for spec in figures().values()} == pages


def test_listing_figures_imports_no_matplotlib():
    code = (
        "import sys; import metalab.figures.registry as r, metalab.figures.sizes, "
        "metalab.figures.formats; r.figures(); "
        "print([m for m in ('matplotlib', 'torch', 'PySide6') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
