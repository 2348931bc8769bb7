"""Files of a run's metrics, as other tools read them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from metalab.core.errors import UserError
from metalab.core.paths import (
    filled_folder,
    is_there,
    obstacle_to_fill,
    obstacle_to_replace,
    obstacle_to_write,
    replace_file,
)
from metalab.figures.metrics import SECONDS, STEP, metrics_table
from metalab.figures.table import Table
from metalab.runs.record.history import RunHistory
from metalab.runs.record.reader import whole_rows

_EVENTS = "events.out.tfevents.*"


class MetricsError(UserError):
    """Metrics that cannot be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    """A way to write metrics.

    Attributes:
        suffix: Of the file; "" for a folder.
        content: Makes the file of a table and the moment at which the run was made; None
            for a folder.
    """

    suffix: str
    content: Callable[[Table, datetime], bytes] | None


def export_metrics(
    history: RunHistory,
    path: Path,
    kind: str | None = None,
    *,
    created: str,
    force: bool = False,
) -> int:
    """Write the metrics of a run.

    Args:
        history: The run, up to a moment.
        path: A file, or a folder for TensorBoard.
        kind: One of `METRICS_FORMATS`; None goes by the path.
        created: When the run was made, ISO 8601: steps are timed from there.
        force: Whether to replace what is there.

    Returns:
        The number of rows: outer steps at which anything was measured.

    Raises:
        MetricsError: The path or the format is not admissible, or a package is missing.
    """
    chosen = checked_format(path, kind, force=force)
    table = metrics_table(whole_rows(history))
    start = datetime.fromisoformat(created)
    try:
        if chosen.content is None:
            _write_events(path, table, start)
        else:
            replace_file(path, chosen.content(table, start))
    except OSError as error:
        raise MetricsError(f"cannot write {path}: {error.strerror}") from error
    return len(table)


def checked_format(path: Path, kind: str | None, *, force: bool) -> _Format:
    """Return how to write, before anything is computed.

    Raises:
        MetricsError: The path or the format is not admissible.
    """
    suffix = path.suffix.lower()
    if kind is None:
        kind = {".csv": "csv", ".parquet": "parquet", "": "tensorboard"}.get(suffix)
        if kind is None:
            raise MetricsError(
                f"{path} ends in {path.suffix!r}; allowed: .csv, .parquet, or a folder for "
                "TensorBoard"
            )
    if kind not in METRICS_FORMATS:
        allowed = ", ".join(METRICS_FORMATS)
        raise MetricsError(f"format is {kind!r}; allowed: {allowed}")
    chosen = METRICS_FORMATS[kind]
    if chosen.content is None:
        _check_folder(path, force=force)
        return chosen
    if suffix != chosen.suffix:
        raise MetricsError(
            f"{path} ends in {path.suffix!r}; allowed for {kind}: {chosen.suffix}"
        )
    obstacle = obstacle_to_write(path)
    if obstacle is not None:
        raise MetricsError(f"cannot write {path}: {obstacle}")
    obstacle = obstacle_to_replace([path], force=force)
    if obstacle is not None:
        raise MetricsError(obstacle)
    return chosen


def _check_folder(folder: Path, *, force: bool) -> None:
    obstacle = obstacle_to_fill(folder)
    if obstacle is not None:
        raise MetricsError(f"cannot write to {folder}: {obstacle}")
    if is_there(folder):
        obstacle = obstacle_to_replace(sorted(folder.glob(_EVENTS)), force=force)
        if obstacle is not None:
            raise MetricsError(obstacle)


def _csv(table: Table, start: datetime) -> bytes:
    del start
    return table.to_csv(units=False).encode()


def _parquet(table: Table, start: datetime) -> bytes:
    """Return a Parquet file: steps are whole, units stand in the columns' metadata."""
    del start
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise MetricsError(
            "a Parquet file needs pyarrow: pip install 'metalab[parquet]'"
        ) from error
    arrays = [
        pa.array(np.asarray(column.values, dtype=np.int64))
        if column.name == STEP
        else pa.array(column.values, pa.float64(), from_pandas=True)
        for column in table.columns
    ]
    schema = pa.schema(
        [
            pa.field(column.name, array.type, metadata={"unit": column.unit})
            for column, array in zip(table.columns, arrays, strict=True)
        ]
    )
    file = BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), file)
    return file.getvalue()


def _trackio(table: Table, start: datetime) -> bytes:
    """Return what trackio's `import_csv` reads: step, timestamp, and a column a metric."""
    lines = table.to_csv(units=False).splitlines()
    seconds = table.numbers(SECONDS)
    told = [(start + timedelta(seconds=float(s))).isoformat() for s in seconds]
    rows = [line.split(",", 1) for line in lines]
    stamps = ["timestamp", *told]
    return "".join(
        f"{step},{stamp},{rest}\r\n"
        for (step, rest), stamp in zip(rows, stamps, strict=True)
    ).encode()


def _write_events(folder: Path, table: Table, start: datetime) -> None:
    """Write TensorBoard's events in the place of those that a folder holds.

    Raises:
        MetricsError: The package tensorboard is not installed.
        OSError: They cannot be written.
    """
    try:
        # Their classes are made at run time.
        from tensorboard.compat.proto import event_pb2, summary_pb2  # noqa: PLC0415
        from torch.utils.tensorboard import FileWriter  # noqa: PLC0415
    except ImportError as error:
        raise MetricsError(
            "TensorBoard's events need tensorboard: pip install 'metalab[tensorboard]'"
        ) from error
    make_event: Any = vars(event_pb2)["Event"]
    make_summary: Any = vars(summary_pb2)["Summary"]
    value_of = make_summary.Value
    with filled_folder(folder, instead_of=_EVENTS) as part:
        writer = FileWriter(str(part))
        for step, values in _scalars(table):
            scalars = [value_of(tag=t, simple_value=v) for t, v in values.items()]
            summary = make_summary(value=scalars)
            seconds = values[SECONDS]
            writer.add_event(
                make_event(summary=summary), step, start.timestamp() + seconds
            )
        writer.close()


def _scalars(table: Table) -> list[tuple[int, Mapping[str, float]]]:
    """Return step and measured values of each row."""
    names = [column.name for column in table.columns if column.name != STEP]
    rows = np.stack([table.numbers(name) for name in names], axis=1)
    return [
        (
            int(step),
            {n: v for n, v in zip(names, row, strict=True) if not math.isnan(v)},
        )
        for step, row in zip(table.numbers(STEP), rows.tolist(), strict=True)
    ]


METRICS_FORMATS: Mapping[str, _Format] = {
    "csv": _Format(suffix=".csv", content=_csv),
    "parquet": _Format(suffix=".parquet", content=_parquet),
    "tensorboard": _Format(suffix="", content=None),
    "trackio": _Format(suffix=".csv", content=_trackio),
}
"""By name; "trackio" is a CSV file with the columns that its importer knows."""
