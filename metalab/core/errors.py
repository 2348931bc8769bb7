"""Errors that a person, not a programmer, can mend."""


class UserError(ValueError):
    """Something given from outside is not usable: a value, a file, a device.

    The message names it, says what is wrong and what would be right. The command line
    prints it and ends with exit code 2; the window shows it where it was entered. Any
    other exception is a defect of metalab.
    """


def line_in(error: BaseException, file: str) -> int | None:
    """Return the line of a file in which an error arose; None if in none of its lines.

    Args:
        error: As it was caught, with its traceback; or a syntax error of the file.
        file: The file's name, as its code was compiled with.
    """
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def told(error: BaseException) -> str:
    """Return an error of anybody's code in one line, not too long for a message."""
    lines = str(error).strip().splitlines()
    text = type(error).__name__ + (f": {lines[0]}" if lines else "")
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"


_LONGEST_REASON = 300
