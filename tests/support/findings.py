"""Many cases in one test: every failure is told, not only the first."""

import traceback
from collections.abc import Callable, Iterable


def check_each(cases: Iterable[object], check: Callable[..., None]) -> None:
    """Check each case, and fail once with what is wrong with any of them.

    Args:
        cases: Values, or tuples of arguments. Their `str` names them in the message.
        check: Asserts about one case.

    Raises:
        AssertionError: Some case failed, or there was none.
    """
    found: list[str] = []
    number = 0
    for case in cases:
        number += 1
        arguments = case if type(case) is tuple else (case,)
        try:
            check(*arguments)
        except Exception as error:  # noqa: BLE001 - told below, with the others
            line = traceback.extract_tb(error.__traceback__)[-1]
            found.append(
                f"{case}: {type(error).__name__}: {error} "
                f"({line.filename}:{line.lineno}: {line.line})"
            )
    assert number, "there was nothing to check"
    if found:
        raise AssertionError(f"{len(found)} of {number}:\n" + "\n".join(found))
