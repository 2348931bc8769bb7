"""The Sweep page: many runs along axes, their queue, and what came of them."""

from metalab.ui.workspaces.spec import WorkspaceSpec

PAGE = WorkspaceSpec(
    key="sweep",
    place=8,
    text="S&weep",
    tooltip="Run many experiments that differ along axes",
    page="metalab.ui.workspaces.sweep.workspace:SweepWorkspace",
    synonyms=(
        "grid search",
        "hyperparameters",
        "queue",
        "heat map",
        "parallel coordinates",
    ),
)
