"""The Adapt page: drag the points of a task and see every inner step follow."""

from metalab.ui.workspaces.spec import WorkspaceSpec

PAGE = WorkspaceSpec(
    key="adapt",
    place=2,
    text="&Adapt",
    tooltip="Adapt by hand",
    page="metalab.ui.workspaces.adapt.workspace:AdaptWorkspace",
    synonyms=(
        "compare two runs (Add run…)",
        "overlay another run (Add run…)",
        "lay runs over each other (Add run…)",
    ),
)
