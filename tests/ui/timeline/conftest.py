"""An outer ruler with a run on it."""

import pytest

from metalab.ui.timeline.ruler import OuterRuler
from tests.ui.timeline.models import model


@pytest.fixture
def ruler(qtbot):
    made = OuterRuler()
    qtbot.addWidget(made)
    made.resize(824, made.sizeHint().height())
    made.show_model(model())
    made.set_position(1000, following=True, exact=True)
    made.show()
    qtbot.waitExposed(made)
    made.chosen = []
    made.step_chosen.connect(made.chosen.append)
    return made
