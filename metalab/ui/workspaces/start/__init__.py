"""The Start page: experiments that begin with one click."""

from metalab.ui.workspaces.spec import WorkspaceSpec

PAGE = WorkspaceSpec(
    key="start",
    place=6,
    text="S&tart",
    tooltip="Begin with a card",
    page="metalab.ui.workspaces.start.workspace:StartWorkspace",
)
