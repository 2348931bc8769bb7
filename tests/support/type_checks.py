"""The run-time type checker of `core` in tests: shapes by jaxtyping, types by beartype."""

from beartype import BeartypeConf, beartype

# An int is a float wherever a float is asked for, as the typing specification has it.
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
