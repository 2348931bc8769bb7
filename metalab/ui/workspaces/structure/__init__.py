"""The Structure page: the bilevel problem as a picture, with the run inside it."""

from metalab.ui.workspaces.spec import WorkspaceSpec

PAGE = WorkspaceSpec(
    key="structure",
    place=5,
    text="&Structure",
    tooltip="See what lies in what",
    page="metalab.ui.workspaces.structure.workspace:StructureWorkspace",
)
