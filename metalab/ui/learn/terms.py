"""The terms of the field, each with one sentence and a formula."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from metalab.ui.learn.content import DATA, Content, WorkspaceName, read_content
from metalab.ui.style.theme import Theme

FORMULAS = DATA / "formulas"
"""Folder of the pictures that `packaging/make_formulas.py` draws."""

_Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Term(Content):
    """A word of the field.

    Attributes:
        key: Identifies the term, and names the picture of its formula.
        term: What it is called.
        sentence: One plain sentence.
        see: Name of the workspace that shows it.
        formula: LaTeX as mathtext sets it; "" if there is none to give.
        fields: Dotted paths of the settings that the term explains.
    """

    key: _Key
    term: _Text
    sentence: _Text
    see: WorkspaceName
    formula: str = ""
    fields: tuple[str, ...] = ()

    def picture(self, theme: Theme) -> bytes:
        """Return the formula as SVG in the theme's text colour; b"" without a formula.

        Raises:
            FileNotFoundError: The picture has not been drawn.
        """
        if not self.formula:
            return b""
        drawing = (FORMULAS / f"{self.key}.svg").read_text(encoding="utf-8")
        return drawing.replace("currentColor", theme.text).encode()


class Terms(Content):
    """All terms of a file."""

    terms: tuple[Term, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_is_once(self) -> Self:
        for what, names in (
            ("key", [term.key for term in self.terms]),
            ("field", [field for term in self.terms for field in term.fields]),
        ):
            twice = _repeated(names)
            if twice:
                raise ValueError(f"{what} {twice!r} is in two terms; allowed: in one")
        return self


def _repeated(names: Iterable[str]) -> str:
    """Return a name that occurs twice, or ""."""
    return next((name for name, times in Counter(names).items() if times > 1), "")


def load_terms(path: Path = DATA / "terms.toml") -> Terms:
    """Return the terms of a file.

    Raises:
        ContentError: The file cannot be used.
    """
    return read_content(path, Terms)


@cache
def all_terms() -> dict[str, Term]:
    """Return the terms that come with metalab, by key."""
    return {term.key: term for term in load_terms().terms}


@cache
def _terms_by_field() -> dict[str, Term]:
    return {field: term for term in all_terms().values() for field in term.fields}


def term_of_field(path: str) -> Term | None:
    """Return the term that explains a setting, by its dotted path; None if none does."""
    return _terms_by_field().get(path)
