"""The Estimators page: every hypergradient estimator against the exact one."""

from metalab.ui.workspaces.spec import WorkspaceSpec

PAGE = WorkspaceSpec(
    key="estimators",
    place=4,
    text="&Estimators",
    tooltip="Weigh the hypergradients",
    page="metalab.ui.workspaces.estimators.workspace:EstimatorsWorkspace",
    synonyms=("compare estimators",),
)
