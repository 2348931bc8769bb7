"""The Live page: a run as it happens, in four plots."""

from metalab.ui.workspaces.spec import WorkspaceSpec

PAGE = WorkspaceSpec(
    key="live",
    place=1,
    text="&Live",
    tooltip="Watch the run",
    page="metalab.ui.workspaces.live.workspace:LiveWorkspace",
)
