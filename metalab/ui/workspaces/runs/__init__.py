"""The Runs page: the library of runs as a table."""

from metalab.ui.workspaces.spec import WorkspaceSpec

PAGE = WorkspaceSpec(
    key="runs",
    place=7,
    text="R&uns",
    tooltip="Find, label and compare runs",
    page="metalab.ui.workspaces.runs.workspace:RunsWorkspace",
    synonyms=("library", "history of runs", "experiments"),
)
