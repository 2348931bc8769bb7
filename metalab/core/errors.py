"""Errors that a person, not a programmer, can mend."""


class UserError(ValueError):
    """Something given from outside is not usable: a value, a file, a device.

    The message names it, says what is wrong and what would be right. The command line
    prints it and ends with exit code 2; the window shows it where it was entered. Any
    other exception is a defect of metalab.
    """
