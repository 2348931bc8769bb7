"""Discovery: a study is found by being there, as one file in `studies.published`."""

from collections.abc import Mapping
from functools import cache

from metalab.catalog.registry import iter_modules
from metalab.studies.base import Study, StudyError


@cache
def studies() -> Mapping[str, Study]:
    """Return every study by name.

    Raises:
        ValueError: Two studies share a name.
    """
    found: dict[str, Study] = {}
    for module in iter_modules("metalab.studies.published"):
        study: Study = module.STUDY
        if study.name in found:
            raise ValueError(f"two studies are called {study.name!r}")
        found[study.name] = study
    return found


def study_named(name: str) -> Study:
    """Return a study.

    Raises:
        StudyError: No study has that name.
    """
    if name not in studies():
        raise StudyError(f"study is {name!r}; allowed: {', '.join(studies())}")
    return studies()[name]
