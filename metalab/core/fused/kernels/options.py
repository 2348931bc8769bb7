"""How the kernels are compiled."""

from typing import Any

from numba import types
from numba.extending import intrinsic

# Sums may be reordered and products contracted; what is not finite keeps its meaning,
# since that is how a diverging run is noticed.
_EVERY: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"nsz", "contract", "reassoc", "arcp"},
}
KERNEL: dict[str, Any] = {
    **_EVERY,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
"""For what only other kernels call: it cannot be called from Python."""
EXACT: dict[str, Any] = {**KERNEL, "fastmath": {"nsz", "contract"}}
"""For what depends on the order of its sums: they stay in it."""
ENTRY: dict[str, Any] = {**_EVERY, "cache": True}
"""For what is called from Python: its machine code, with all that it calls, is kept."""


@intrinsic
def stay_apart(typingctx):
    """Keep the function that calls this from being copied into those that call it.

    For what is long and seldom called: copies of it would double the time that compiling
    takes, and come between what is called often.
    """
    signature = types.void()

    def generate(context, builder, signature, arguments):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return signature, generate
