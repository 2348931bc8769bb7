"""The configuration of an experiment: one model for form, file, command line, sweeps."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from metalab.catalog import slots
from metalab.catalog.components import Section
from metalab.catalog.recipes import Recipe, preset_settings, recipes
from metalab.core.loss.as_inner import AsInner
from metalab.core.model.base import Model
from metalab.core.tasks import QueryKind
from metalab.experiment.compatibility import refusal
from metalab.experiment.loss_words import LossWords, in_units_of
from metalab.experiment.sections import (
    DiagnosticsConfig,
    EvaluationConfig,
    HypergradientConfig,
    InnerConfig,
    LossConfig,
    MetaConfig,
    ModelConfig,
    OuterConfig,
    QueryLossConfig,
    RunConfig,
    TasksConfig,
)

CONFIG_VERSION = 2
"""Version 1 had no `loss`: it was the squared error."""

_SINCE_VERSION_1 = ("loss", "query_loss")
"""Sections that version 1 did not have, whose defaults are what it did."""

_NAME = r"^[^\x00-\x1f/\\]+$"
"""No slashes and control characters."""


class ExperimentConfig(Section):
    """Everything that determines a run.

    Immutable; the same value makes the form, the TOML file, `--set` on the command line
    and sweep axes.

    Attributes:
        name: A person's own name, or that of the preset: ask `experiment.naming` for what to
            show.
        preset: Name of the preset that the experiment comes from; "" where nobody wrote
            it down. It changes nothing about a run.
    """

    version: Literal[2] = CONFIG_VERSION
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=_NAME)] = (
        "experiment"
    )
    preset: Annotated[str, Field(max_length=80)] = ""
    tasks: TasksConfig = Field(default_factory=TasksConfig)
    model: ModelConfig = Field(default_factory=lambda: slots.MODELS.default("mlp"))
    loss: LossConfig = Field(
        default_factory=lambda: slots.LOSSES.default("squared-error")
    )
    query_loss: QueryLossConfig = Field(
        default_factory=lambda: slots.QUERY_LOSSES.default("as-inner")
    )
    meta: MetaConfig = Field(
        default_factory=lambda: slots.META_PARAMETERISATIONS.default("initialisation")
    )
    inner: InnerConfig = Field(
        default_factory=lambda: slots.INNER_LOOPS.default("gradient-descent")
    )
    hypergradient: HypergradientConfig = Field(
        default_factory=lambda: slots.HYPERGRADIENTS.default("unrolled")
    )
    outer: OuterConfig = Field(default_factory=OuterConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    run: RunConfig = Field(default_factory=RunConfig)
    diagnostics: DiagnosticsConfig = Field(default_factory=DiagnosticsConfig)

    @model_validator(mode="before")
    @classmethod
    def _of_older_version(cls, content: Any) -> Any:
        """Bring an experiment of an older metalab up to date."""
        found = content.get("version") if isinstance(content, Mapping) else None
        if type(found) is int and found == 1:
            return {**content, "version": CONFIG_VERSION}
        return content

    @model_validator(mode="after")
    def _combination_makes_sense(self) -> Self:
        reason = refusal(self)
        if reason is not None:
            raise ValueError(reason)
        return self

    def to_mapping(self) -> dict[str, Any]:
        """Return nested plain values, as TOML and JSON hold them."""
        return self.model_dump(mode="json", serialize_as_any=True)

    def digest(self) -> str:
        """Return what identifies the experiment apart from its names and seed.

        Runs with equal digests are replicates; diagnostics change nothing about a run.
        A digest outlives its version: it stands in run files and in names of runs.
        """
        content = self.to_mapping()
        content["version"] = 1
        for section in _SINCE_VERSION_1:
            if getattr(self, section) == type(self).model_fields[section].get_default(
                call_default_factory=True
            ):
                del content[section]
        del content["name"], content["preset"]
        del content["run"]["seed"], content["diagnostics"]
        text = json.dumps(content, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def loss_of_queries(self) -> LossConfig:
        """The loss on the query set: the inner loop's, or one of its own."""
        own = self.query_loss
        return self.loss if own.component is AsInner else own

    def build_model(self) -> Model:
        """Return the network: as many inputs and outputs as tasks, meta and losses take."""
        family = self.tasks.family.build()
        losses = (self.loss.build(), self.loss_of_queries.build())
        outputs = [loss.num_outputs(family.output_dim) for loss in losses]
        return self.model.build(
            input_dim=family.input_dim + self.meta.build().extra_inputs,
            output_dim=max(outputs),
        )

    @property
    def loss_words(self) -> LossWords:
        """Words for the losses of both levels, and their units."""
        support, query = self.loss.component, self.loss_of_queries.component
        of_target = self.tasks.family.build().target_unit
        return LossWords(
            support_unit=in_units_of(support.unit, of_target),
            query_unit=in_units_of(query.unit, of_target),
            distance=query.distance(),
            caveat=support.caveat(),
            logarithmic=not (support.may_be_negative or query.may_be_negative),
        )

    @property
    def num_inner_steps(self) -> int:
        """K, the inner steps of training."""
        return self.inner.options()["num_inner_steps"]

    @property
    def num_shown_steps(self) -> int:
        """K' >= K, the inner steps that are evaluated and shown."""
        return max(self.evaluation.num_inner_steps, self.num_inner_steps)

    @property
    def held_out_query(self) -> QueryKind:
        """How the query sets of the held-out tasks are made."""
        return QueryKind(
            inputs=self.evaluation.query_inputs, targets=self.evaluation.query_targets
        )

    @property
    def eval_shots(self) -> int:
        """Support points of each held-out task."""
        return self.evaluation.num_shots or self.tasks.num_shots


def preset_config(name: str) -> ExperimentConfig:
    """Return the experiment of a preset.

    Raises:
        ValueError: No preset has that name.
    """
    return ExperimentConfig.model_validate(preset_settings(name))


def recipe_of(config: ExperimentConfig) -> Recipe | None:
    """Return the recipe whose parts the experiment has, or None for a new combination.

    Where one recipe extends another, the one that says more is meant.
    """
    content = config.to_mapping()
    fitting = [r for r in recipes().values() if _contains(content, r.parts)]
    return max(fitting, key=lambda recipe: _size(recipe.parts), default=None)


def _size(parts: Mapping[str, Any]) -> int:
    """Return how many settings nested parts name."""
    return sum(
        _size(value) if isinstance(value, Mapping) else 1 for value in parts.values()
    )


def _contains(content: Mapping[str, Any], parts: Mapping[str, Any]) -> bool:
    return all(
        _contains(content.get(key, {}), value)
        if isinstance(value, Mapping)
        else content.get(key) == value
        for key, value in parts.items()
    )
