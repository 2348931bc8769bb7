"""The Compare page: methods with their seeds beside each other."""

from metalab.ui.workspaces.spec import WorkspaceSpec

PAGE = WorkspaceSpec(
    key="compare",
    place=9,
    text="&Compare",
    tooltip="See runs beside each other, on the same held-out tasks",
    page="metalab.ui.workspaces.compare.workspace:CompareWorkspace",
    synonyms=("comparison", "significance", "methods"),
)
