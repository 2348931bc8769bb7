"""Tasks that were observed: the rows of a table, by the column that names the task."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.assets import GAPMINDER
from metalab.core.script import UnitsSource
from metalab.core.spec import option
from metalab.core.tasks import (
    HELD_OUT,
    LIKE_SUPPORT,
    TRAINING,
    QueryKind,
    Samples,
    TaskDistribution,
)
from metalab.tasks.table_guess import guessed_roles
from metalab.tasks.table_reading import TableError
from metalab.tasks.table_rows import SCALINGS, Roles, TableRows, rows_of
from metalab.tasks.table_store import content_of, name_of, reference_of, table_of

SUPPORTS = ("random", "first")
CARRIED = ("data", "hash")
MOST_CHARACTERS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFamily(TaskDistribution):
    """The tasks of a table: one row an observation, one column the task's name.

    A task is its number in the table. Its support set is drawn from its rows without
    replacement, its query set from the others; where the rows do not suffice, sets are
    smaller, and masked.

    The tasks are split into training, validation and held-out ones; what is called held
    out has never been trained on. Inputs and target are scaled by the rows of the
    training tasks alone, and everything that is shown is scaled back.

    Attributes:
        data: The table: its file's name and hash.
        task: Column that names the task.
        x: Columns of the inputs, separated by commas.
        y: Column of the target.
        support: "random" rows, or the "first" ones along the first input.
        split_column: Column that says which tasks are held out; "" for a random split.
        held_out_share: Share of the tasks that is held out.
        fold: Which part of the shuffled tasks.
        validation_share: Share of the tasks that is kept for validation.
        split_seed: Fixes the shuffling.
        x_scaling: How inputs are scaled.
        y_scaling: How the target is scaled.
        run_file_carries: The table, or its hash alone.
        min_rows: Tasks of fewer rows are left out; 0: those without a row for each
            support point and one to measure on.
        subset: Which of `core.tasks.SUBSETS` is drawn from.
        num_shots: Support points for which a task has to have rows; 0: nobody has said.
    """

    name: ClassVar[str] = "table"
    title: ClassVar[str] = "Table"
    synonyms: ClassVar[tuple[str, ...]] = (
        *("CSV", "own data", "data frame", "spreadsheet", "data set", "tidy"),
        *("gapminder", "pharmacokinetics"),
    )

    data: str = option(
        GAPMINDER,
        label="Table",
        help="The file's name and the hash of its content. File > Open data… fills it in; "
        "on the command line, --data FILE.",
        max_length=MOST_CHARACTERS,
        synonyms=("file", "path", "CSV"),
    )
    task: str = option(
        "country",
        label="Task column",
        help="The column that names the task of each row.",
        max_length=MOST_CHARACTERS,
        synonyms=("group", "subject", "id"),
    )
    x: str = option(
        "year",
        label="Input columns",
        help="The columns that the network is given, separated by commas.",
        max_length=MOST_CHARACTERS,
        synonyms=("features", "covariates", "independent variable"),
    )
    y: str = option(
        "lifeExp",
        label="Target column",
        help="The column that the network predicts.",
        max_length=MOST_CHARACTERS,
        synonyms=("response", "label", "dependent variable"),
    )
    support: str = option(
        "random",
        label="Support rows",
        help="random: any rows of a task; first: its first rows along the first input, "
        "as for a new patient. The query set is drawn from the others.",
        choices=SUPPORTS,
        synonyms=("forecast", "extrapolation"),
    )
    held_out_share: float = option(
        0.2,
        label="Held-out share",
        help="Share of the tasks that is never trained on.",
        low=0.0,
        high=0.9,
        exclusive=True,
        synonyms=("test split", "train test split"),
    )
    fold: int = option(
        0,
        label="Fold",
        help="Which part of the shuffled tasks is held out: 0 to 4 with a share of 0.2.",
        low=0,
        high=1_000,
        advanced=True,
        synonyms=("cross-validation", "k-fold"),
    )
    validation_share: float = option(
        0.0,
        label="Validation share",
        help="Share of the tasks that is neither trained on nor held out: `metalab eval "
        "--subset validation` measures on them.",
        low=0.0,
        high=0.9,
        advanced=True,
    )
    split_column: str = option(
        "",
        label="Split column",
        help="A column that says training, validation or held-out of each task; empty "
        "for a split by seed and share.",
        max_length=MOST_CHARACTERS,
        advanced=True,
    )
    split_seed: int = option(
        0,
        label="Split seed",
        help="Shuffles the tasks before they are split; the run's seed does not.",
        low=0,
        high=2**31 - 1,
        advanced=True,
    )
    x_scaling: str = option(
        "standardise",
        label="Input scaling",
        help="standardise: mean 0 and deviation 1 over the rows of the training tasks; "
        "log: of the logarithm; raw: as they are.",
        choices=SCALINGS,
        advanced=True,
        synonyms=("normalisation", "normalization", "standardization"),
    )
    y_scaling: str = option(
        "standardise",
        label="Target scaling",
        help="standardise: mean 0 and deviation 1 over the rows of the training tasks; "
        "log: of the logarithm; raw: as it is. Losses are those of the scaled target.",
        choices=SCALINGS,
        advanced=True,
        synonyms=("normalisation", "normalization", "standardization"),
    )
    run_file_carries: str = option(
        "data",
        label="Run file carries",
        help="data: the table itself, so that the run opens and goes on anywhere; hash: "
        "its name and hash alone, for data that must not travel. The file must then lie "
        "beside the run, or be opened first.",
        choices=CARRIED,
        advanced=True,
        synonyms=("privacy", "embed data", "confidential"),
    )
    min_rows: int = option(
        0,
        label="Fewest rows",
        help="Tasks of fewer rows are left out. Below Shots + 1, small tasks adapt to as "
        "many rows as they have but one.",
        unit="rows",
        low=0,
        high=1_000_000,
        advanced=True,
        at_zero="Shots + 1",
    )

    subset: str = TRAINING
    num_shots: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no table, or columns that it does not have.

        Raises:
            ValueError: Says which, and what there is.
        """
        try:
            _ = self.rows
        except TableError as error:
            raise ValueError(_of_file(self.data, error)) from error

    @classmethod
    def completed(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return options with the table's hash, and with columns that were left out.

        Args:
            options: As a person wrote them; `data` may be the path of a file.

        Raises:
            ValueError: The file is no table, or has no column for a role.
        """
        data = options.get("data")
        if not isinstance(data, str) or len(data) > MOST_CHARACTERS:
            return options
        try:
            reference = reference_of(data)
            given = {role: options.get(role) for role in ("task", "x", "y")}
            if all(isinstance(name, str) for name in given.values()):
                return {**options, "data": reference}
            found = guessed_roles(
                table_of(reference),
                **{r: n if isinstance(n, str) else None for r, n in given.items()},
            )
        except TableError as error:
            raise ValueError(_of_file(data, error)) from error
        return {**options, "data": reference, **found}

    @property
    def target_unit(self) -> str:
        """Unit of the scaled target: deviations of the column, its logarithm, or itself."""
        return {"standardise": "sd", "log": "(log y)"}.get(self.y_scaling, "y")

    @property
    def target_name(self) -> str:
        """Column of the target."""
        return self.y

    @property
    def input_name(self) -> str:
        """Column of the first input."""
        return self._inputs[0]

    @property
    def _inputs(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.x.split(","))

    @property
    def rows(self) -> TableRows:
        """The table, cut into tasks."""
        return rows_of(
            Roles(
                data=self.data,
                task=self.task,
                x=self._inputs,
                y=self.y,
                split_column=self.split_column,
                held_out_share=self.held_out_share,
                validation_share=self.validation_share,
                split_seed=self.split_seed,
                fold=self.fold,
                x_scaling=self.x_scaling,
                y_scaling=self.y_scaling,
            )
        )

    def carried(self) -> Mapping[str, bytes]:
        """Return the table's file, unless a person keeps it back."""
        content = content_of(self.data) if self.run_file_carries == "data" else None
        return {} if content is None else {self.data: content}

    def refusal(self, num_shots: int) -> str | None:
        """Return why tasks of so many support points cannot be drawn, or None."""
        for subset in (TRAINING, HELD_OUT):
            part = self.of_subset(subset).for_shots(num_shots)
            if not len(part.usable):
                needed = self.min_rows or num_shots + 1
                return (
                    f"tasks.num_shots is {num_shots}, and no {subset} task of the table "
                    f"has {needed} rows; allowed: at most "
                    f"{self._most_rows(subset) - 1}"
                )
        return None

    def _most_rows(self, subset: str) -> int:
        return int(self.rows.counts[self.rows.subsets[subset]].max())

    @property
    def usable(self) -> Tensor:
        """Numbers of the tasks of the subset that are large enough."""
        chosen = self.rows.subsets[self.subset]
        return chosen[self.rows.counts[chosen] >= (self.min_rows or self.num_shots + 1)]

    @property
    def input_dim(self) -> int:
        """Number of input columns."""
        return self.rows.x.shape[1]

    @property
    def inputs_lie_on_a_curve(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether there is one input, so that plots show all there is."""
        return self.input_dim == 1

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """A task is told by its number."""
        return ("number",)

    @property
    def input_range(self) -> tuple[float, float]:
        """Smallest and largest first input of all rows, in its own unit."""
        return self.rows.x_range

    def num_tasks(self, wanted: int) -> int:
        """Return how many tasks there are to look at; training draws as many as it wants."""
        return wanted if self.subset == TRAINING else min(wanted, len(self.usable))

    def num_queries(self, wanted: int, num_shots: int) -> int:
        """Return the largest query set: what a task has beside its support set."""
        most = int(self.rows.counts[self.usable].max())
        return max(1, min(wanted, most - num_shots))

    def for_shots(self, num_shots: int) -> "TableFamily":
        """Return the tasks that have rows for so many support points, and one more."""
        return replace(self, num_shots=num_shots)

    def of_subset(self, subset: str) -> "TableFamily":
        """Return the tasks of a subset."""
        return replace(self, subset=subset)

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw training tasks evenly and independently; take held-out ones in order."""
        usable = self.usable
        if self.subset == TRAINING:
            chosen = torch.randint(
                len(usable), (num_tasks,), generator=generator, device=generator.device
            ).cpu()
        else:
            chosen = torch.arange(self.num_tasks(num_tasks))
        return usable[chosen][:, None].to(generator.device, dtype)

    def sample_points(
        self,
        parameters: Float[Tensor, "task parameter"],
        *,
        num_shots: int,
        num_queries: int,
        query: QueryKind = LIKE_SUPPORT,
        generator: torch.Generator,
    ) -> Samples:
        """Draw rows of each task without replacement, scaled for the network."""
        del query
        rows, device = self.rows, parameters.device
        task = parameters[:, 0].long().cpu()
        counts = rows.counts[task]
        shots = torch.clamp(counts - 1, max=num_shots)
        places = torch.empty(len(task), num_shots + num_queries, dtype=torch.long)
        if self.support == "first":
            places[:, :num_shots] = torch.arange(num_shots)
            rest = distinct_places(counts - shots, num_queries, generator=generator)
            places[:, num_shots:] = shots[:, None] + rest
        else:
            drawn = distinct_places(
                counts, num_shots + num_queries, generator=generator
            )
            # A task of fewer rows leaves one for its query set.
            behind = shots[:, None] + torch.arange(num_queries)
            behind = behind.clamp(max=drawn.shape[1] - 1)
            places[:, :num_shots] = drawn[:, :num_shots]
            places[:, num_shots:] = drawn.gather(1, behind)
        counted = torch.cat(
            [
                torch.arange(num_shots) < shots[:, None],
                torch.arange(num_queries) < (counts - shots)[:, None],
            ],
            dim=1,
        )
        index = rows.starts[task][:, None] + torch.where(counted, places, 0)
        x, y = rows.given_x(rows.x[index]), rows.y_scale.given(rows.y[index])
        mask = (
            counted.to(device, parameters.dtype)
            if self._ragged(num_shots, num_queries)
            else None
        )
        return Samples(
            x=x.to(device, parameters.dtype),
            y=y.to(device, parameters.dtype),
            mask=mask,
        )

    def _ragged(self, num_shots: int, num_queries: int) -> bool:
        """Return whether some task has fewer rows than a batch has places."""
        return bool((self.rows.counts[self.usable] < num_shots + num_queries).any())

    def inputs_at(self, position: Float[Tensor, "*points"]) -> Tensor:
        """Return inputs in their own units; those not plotted are at their mean."""
        others = [
            torch.full_like(position, float(self.rows.x[:, i].mean()))
            for i in range(1, self.input_dim)
        ]
        return torch.stack([position, *others], dim=-1)

    def observed(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot place"],
    ) -> Float[Tensor, "task shot input"]:
        """Return inputs as the network is given them."""
        del parameters
        return self.rows.given_x(x)

    def own_inputs(self, x: Tensor) -> Tensor:
        """Return inputs of the network in the columns' own units."""
        return self.rows.own_x(x)

    def given_targets(self, y: Tensor) -> Tensor:
        """Return targets as the network learns them."""
        return self.rows.y_scale.given(y)

    def own_targets(self, y: Tensor) -> Tensor:
        """Return predictions in the column's own unit."""
        return self.rows.y_scale.own(y)

    def own_deviation(self, deviation: Tensor, own: Tensor) -> Tensor:
        """Return a standard deviation in the column's own unit.

        To first order, where the network learns a logarithm.
        """
        scale = self.rows.y_scale
        return deviation * scale.scale * (own if scale.log else 1.0)

    def units_source(self) -> UnitsSource:
        """Return the scaling of the columns."""
        scales, target = self.rows.x_scales, self.rows.y_scale
        inputs = "x.log()" if scales[0].log else "x"
        targets, own, constants = "y.log()" if target.log else "y", "y", ""
        if self.x_scaling != "raw":
            shift, scale = repr(scales[0].shift), repr(scales[0].scale)
            if len(scales) > 1:
                rows = [[s.shift for s in scales], [s.scale for s in scales]]
                constants = f"INPUTS = torch.tensor({rows!r}, dtype=torch.float64)"
                shift, scale = "INPUTS[0]", "INPUTS[1]"
            inputs = f"({inputs} - {shift}) / {scale}"
        if self.y_scaling != "raw":
            targets = f"({targets} - {target.shift!r}) / {target.scale!r}"
            own = f"y * {target.scale!r} + {target.shift!r}"
        return UnitsSource(
            constants=constants,
            inputs=inputs,
            targets=targets,
            own_targets=f"({own}).exp()" if target.log else own,
        )

    @property
    def may_travel(self) -> bool:
        """Whether the run file carries the table: then a few of its rows may go along."""
        return self.run_file_carries == "data"

    def task_name(self, parameters: Float[Tensor, " parameter"]) -> str:
        """Return what the table calls a task."""
        return self.rows.names[int(parameters[0])]


def distinct_places(
    counts: Tensor, num_places: int, *, generator: torch.Generator
) -> Tensor:
    """Draw places 0 ... count - 1 of each task without replacement, in random order.

    Args:
        counts: Rows of each task, [task], at least 1.
        num_places: How many are wanted; a task of fewer rows has all of them first, in
            random order, and then places that mean nothing.
        generator: The only source of randomness.

    Returns:
        [task, num_places].

    Source: Floyd's algorithm (Bentley & Floyd 1987, "A sample of brilliance"), one step
        for all tasks at a time: its cost does not grow with the tasks' rows.
    """
    number = torch.clamp(counts, max=num_places)
    uniform = torch.rand(
        2, len(counts), num_places, generator=generator, device=generator.device
    ).cpu()
    chosen = torch.full((len(counts), num_places), -1, dtype=torch.long)
    for i in range(num_places):
        last = counts - number + i
        place = torch.minimum((uniform[0, :, i] * (last + 1)).long(), last)
        taken = (chosen[:, :i] == place[:, None]).any(dim=1)
        chosen[:, i] = torch.where(taken, last, place)
    # Floyd's sets are even, their order is not.
    keys = torch.where(torch.arange(num_places) < number[:, None], uniform[1], 2.0)
    return chosen.gather(1, keys.argsort(dim=1))


def _of_file(data: str, error: TableError) -> str:
    """Return what is wrong with a table, with the name of its file before it."""
    name, text = name_of(data), str(error)
    return text if name in text else f"{name}: {text}"
