"""What pages show, of made-up numbers, for every figure."""

import numpy as np

from metalab.analysis.adapt_request import AdaptRequest, AdaptResult, CustomTask, Start
from metalab.analysis.comparison import Comparison, ComparisonRequest, Measured
from metalab.analysis.landscape_request import (
    Landscape,
    LandscapeGrid,
    LandscapeRequest,
)
from metalab.analysis.learned_rates import LearnedRates
from metalab.core.hypergradient.target import Target
from metalab.engine.events import frozen
from metalab.experiment.config import preset_config
from metalab.figures.registry import figures
from metalab.figures.sights import (
    AdaptSight,
    EstimatorsSight,
    LandscapeSight,
    RatesSight,
    Sight,
    StructureSight,
)
from metalab.figures.structure.blueprint import blueprint_of
from metalab.figures.structure.model import numbers_of
from metalab.runs.record.history import RunHistory

NUM_STEPS = 12
"""Inner steps that are seen on the pages Adapt and Landscape."""


def sight_for(name: str, history: RunHistory, *, seed: int = 0) -> Sight:
    """Return what a figure is drawn from: the history, or what its page shows."""
    makers = {
        AdaptSight: adapt_sight,
        LandscapeSight: landscape_sight,
        EstimatorsSight: estimators_sight,
        StructureSight: structure_sight,
        RatesSight: rates_sight,
    }
    make = makers.get(figures()[name].sight)
    return history if make is None else make(history, seed=seed)


def adapt_sight(history: RunHistory, *, seed: int = 0) -> AdaptSight:
    """Return dragged points, and how two starts adapt to them."""
    rng = np.random.default_rng(seed)
    grid = np.linspace(-5, 5, 60)
    x = np.sort(rng.uniform(-5, 5, 7))
    task = CustomTask(x=x, y=np.sin(x), grid=grid, truth=np.sin(grid), parameters=None)
    config = history.config_at()
    starts = tuple(
        Start(key=key, config=config, phi=np.zeros(3), step=history.step)
        for key in ("run", "random")
    )
    asked = AdaptRequest(task=task, starts=starts, num_inner_steps=NUM_STEPS, num_fan=3)
    own, other = (_explored(rng, start, asked) for start in starts)
    return AdaptSight(
        history=history,
        explored=own,
        others=(("Random start", other),),
        inner_step=2,
        task="held-out task 3 with moved points",
    )


def _explored(
    rng: np.random.Generator, start: Start, asked: AdaptRequest
) -> AdaptResult:
    shares = np.linspace(0, 1, asked.num_inner_steps + 1) ** 0.4
    grid = asked.task.grid
    off = 0.2 * rng.normal()
    losses = (1 - shares) ** 2 + 0.01
    return AdaptResult(
        start=start,
        asked=asked,
        curves=frozen(shares[:, None] * np.sin(grid) + off),
        support_loss=frozen(losses),
        query_loss=frozen(losses * 1.5),
        distance=frozen(shares),
        layer_distance=frozen(shares[:, None]),
        layers=(1,),
        fan=frozen(np.stack([np.sin(grid + 0.1 * i) for i in range(asked.num_fan)])),
        deviation=None,
    )


def landscape_sight(
    history: RunHistory, *, seed: int = 0, surface: str = "adapted"
) -> LandscapeSight:
    """Return a bowl with a hole where the loss is not finite, and paths into it."""
    rng = np.random.default_rng(seed)
    side, per_side = 2.0, 21
    steps = np.linspace(0, 1, NUM_STEPS + 1)
    ends = rng.uniform(-0.8, 0.8, (3, 2))
    plane = LandscapeGrid(
        centre=np.zeros(5),
        u=np.eye(5)[0],
        v=np.eye(5)[1],
        paths=frozen(steps[None, :, None] * ends[:, None]),
        explained=(0.7, 0.2),
        outer_path=frozen(np.stack([steps - 0.9, 0.5 - steps], axis=1)),
        outer_explained=0.5,
        corner=(-1.0, -1.0),
        side=side,
    )
    u, v = np.meshgrid(*plane.coordinates(per_side))
    losses = 0.05 + 3 * (u - 0.3) ** 2 + (v + 0.2) ** 2
    losses[-2:, :2] = np.inf
    asked = LandscapeRequest(
        config=history.config_at(),
        phi=np.zeros(5),
        step=history.step,
        tasks=(2, 3, 4),
        num_inner_steps=NUM_STEPS,
        surface=surface,
        resolution=per_side,
    )
    landscape = Landscape(
        asked=asked, plane=plane, losses=frozen(losses), share=1.0, num_averaged=20
    )
    return LandscapeSight(history=history, landscape=landscape, inner_step=2)


ESTIMATORS = (
    ("unrolled", "Unrolled (exact)", "own", Target.K_STEP, 1e-12),
    ("first-order", "First-order", "own", Target.K_STEP, 0.4),
    ("truncated", "Truncated", "own", Target.K_STEP, 0.1),
    ("conjugate-gradient", "Implicit, CG", "proximal", Target.SOLUTION, 0.02),
    ("neumann", "Implicit, Neumann series", "proximal", Target.SOLUTION, 1e30),
)


def estimators_sight(history: RunHistory, *, seed: int = 0) -> EstimatorsSight:
    """Return five estimators at the chosen K, those of the own problem at two more."""
    rng = np.random.default_rng(seed)
    request = ComparisonRequest(
        config=history.config_at(),
        phi=np.zeros(5),
        step=history.step,
        num_inner_steps=5,
        inner_lr=None,
        damping=None,
        num_tasks=25,
        seed=0,
    )
    rows = [
        _measured(rng, *entry, steps)
        for steps in (5, 1, 10)
        for entry in ESTIMATORS
        if steps == 5 or entry[2] == "own"
    ]
    comparison = Comparison(
        request=request,
        planned=tuple(row for row in rows if row.num_inner_steps == 5),
        rows=tuple(rows),
        left_out=(),
        takes_damping=True,
        done=True,
    )
    return EstimatorsSight(history=history, comparison=comparison)


def _measured(rng, name, title, problem, target, error, steps) -> Measured:
    noise = float(np.exp(0.1 * rng.normal()))
    return Measured(
        name=name,
        title=title,
        problem=problem,
        target=target,
        exact=name == "unrolled",
        num_inner_steps=steps,
        num_batches=8,
        cosine=1 - min(error, 0.5),
        cosine_error=0.02 * noise,
        norm_ratio=1 + min(error, 0.3),
        norm_ratio_error=0.03 * noise,
        relative_error=error * steps * noise,
        relative_error_error=0.1 * error,
        variance=0.2,
        seconds=0.001 * steps * noise,
        peak_bytes=2**20 * steps,
        gradients=25 * steps,
        products=25 * steps,
    )


def structure_sight(history: RunHistory, *, seed: int = 0) -> StructureSight:
    """Return the picture of MAML, or of Meta-SGD for another seed."""
    config = preset_config("maml-sine" if seed == 0 else "meta-sgd-sine")
    return StructureSight(
        history=history,
        structure=blueprint_of(config).structure(),
        numbers=numbers_of(history),
        title="MAML" if seed == 0 else "Meta-SGD",
    )


def rates_sight(history: RunHistory, *, seed: int = 0) -> RatesSight:
    """Return rates of three groups, a quarter of them negative."""
    rng = np.random.default_rng(seed)
    groups = ["layer 1 weight"] * 40 + ["layer 1 bias"] * 40 + ["layer 2 bias"]
    rates = rng.normal(0.02, 0.03, len(groups))
    return RatesSight(
        history=history,
        rates=LearnedRates(
            rates=frozen(rates),
            groups=np.array(groups),
            inner_steps=frozen(np.full(len(groups), np.nan)),
            granularity="per-parameter",
            initial=(0.005, 0.1),
        ),
        outer_step=history.step,
    )
