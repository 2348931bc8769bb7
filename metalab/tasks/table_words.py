"""What is understood of a table, in words: for the command line and for the window."""

from metalab.core.tasks import SUBSETS
from metalab.tasks.table import TableFamily
from metalab.tasks.table_store import name_of, table_of

_MOST_NAMES = 4


def words_of(family: TableFamily, *, num_shots: int) -> tuple[str, ...]:
    """Return lines: the file, the columns, the tasks and which of them are left out.

    Args:
        family: The table and its columns.
        num_shots: Support points of each task.
    """
    rows, table = family.rows, table_of(family.data)
    lines = [
        f"{name_of(family.data)}: {table.understood}",
        f"task: {family.task}, x: {family.x}, y: {family.y}",
    ]
    parts = []
    few: list[str] = []
    for subset in SUBSETS:
        whole = rows.subsets[subset]
        usable = family.of_subset(subset).for_shots(num_shots)
        kept = set(usable.usable.tolist())
        few += [rows.names[i] for i in whole.tolist() if i not in kept]
        if len(whole):
            parts.append(f"{len(kept):,} {subset}")
    lines.append(f"{len(rows.names):,} tasks: {', '.join(parts)}")
    out = [*rows.left_out, *few]
    if out:
        shown = ", ".join(out[:_MOST_NAMES])
        more = f" and {len(out) - _MOST_NAMES:,} more" if len(out) > _MOST_NAMES else ""
        needed = family.min_rows or num_shots + 1
        lines.append(
            f"{len(out):,} task{'' if len(out) == 1 else 's'} left out, with fewer than "
            f"{needed} rows: {shown}{more}"
        )
    return tuple(lines)
