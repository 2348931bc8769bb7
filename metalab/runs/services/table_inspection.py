"""A table, read beside the window: a million rows take a second or two."""

from typing import TYPE_CHECKING

from metalab.runs.services.service import LatestRequestService, Notify, Work

if TYPE_CHECKING:
    from metalab.tasks.table_view import TableRequest, TableView


class TableInspectionService(LatestRequestService["TableRequest", "TableView", None]):
    """Tells how a table is understood with the columns that were asked for last."""

    def __init__(self, notify: Notify) -> None:
        """Make one without a thread; the first request starts it."""
        super().__init__(_inspect, name="table inspection", notify=notify)


def _inspect(asked: "TableRequest", work: Work[None]) -> "TableView":
    # Imported here: the window makes the service before torch is there.
    from metalab.tasks.table_view import seen_table  # noqa: PLC0415

    del work
    return seen_table(asked)
