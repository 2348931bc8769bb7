"""What tests of the form ask it."""

from typing import Any

from metalab.experiment.fields import fields_of
from metalab.ui.forms.editors import ChoiceBox
from metalab.ui.forms.experiment_form import ExperimentForm
from metalab.ui.forms.form_header import FormHeader

LR = "inner.inner_lr"
KIND = "outer.optimizer.kind"


def text(form: ExperimentForm, path: str) -> str:
    """Return what a field shows."""
    editor = form.row(path).editor
    return editor.currentText() if isinstance(editor, ChoiceBox) else editor.text()


def header(form: ExperimentForm) -> FormHeader:
    found = form.findChild(FormHeader)
    assert found is not None
    return found


def value(form: ExperimentForm, path: str) -> Any:
    config = form.config()
    assert config is not None
    return {info.path: info.value for info in fields_of(config)}[path]


def visible_paths(form: ExperimentForm) -> list[str]:
    config = form.config()
    assert config is not None
    paths = [info.path for info in fields_of(config)]
    return [path for path in paths if form.row(path).isVisible()]
