"""How estimators look: fixed by their names, and apart from each other."""

from itertools import combinations

import pytest

from metalab.catalog.slots import HYPERGRADIENTS
from metalab.figures import estimators
from metalab.figures.estimator_looks import DIAMOND, look_of


def test_no_two_estimators_look_alike():
    looks = {name: look_of(name) for name in HYPERGRADIENTS.components}
    for one, other in combinations(looks, 2):
        assert looks[one] != looks[other], (one, other)
    assert DIAMOND not in {look.mark for look in looks.values()}


def test_one_of_another_package_keeps_its_look():
    assert look_of("of-another-package") == look_of("of-another-package")
    assert look_of("of-another-package").mark == DIAMOND


@pytest.mark.parametrize("name", ["unrolled", "joint", "implicit-nystrom", "other"])
def test_the_figure_has_the_colour_and_the_mark(name):
    look, options = look_of(name), estimators._options_of(name)
    marks = {"disc": "o", "square": "s", "triangle": "^", "diamond": "D"}
    assert (options["color"], options["marker"]) == (look.colour, marks[look.mark])
    assert (options["linestyle"] == "-") == (look.dashes == ())
