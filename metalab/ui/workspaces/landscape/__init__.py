"""The Landscape page: the loss over a plane through the meta-parameters."""

from metalab.ui.workspaces.spec import WorkspaceSpec

PAGE = WorkspaceSpec(
    key="landscape",
    place=3,
    text="Lan&dscape",
    tooltip="See the loss around the meta-parameters",
    page="metalab.ui.workspaces.landscape.workspace:LandscapeWorkspace",
)
