"""How the kernels are compiled."""

from typing import Any

# Sums may be reordered and products contracted; what is not finite keeps its meaning,
# since that is how a diverging run is noticed.
KERNEL: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"nsz", "contract", "reassoc", "arcp"},
}
ENTRY: dict[str, Any] = {**KERNEL, "cache": True}
"""For what is called from Python: its machine code, with all that it calls, is kept."""
