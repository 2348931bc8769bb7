"""How the kernels are compiled."""

from typing import Any

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
ENTRY: dict[str, Any] = {**_EVERY, "cache": True}
"""For what is called from Python: its machine code, with all that it calls, is kept."""
