"""The configuration of a run at each of its outer steps. Imports no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from metalab.experiment.edit import Edit

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig


class ConfigHistory:
    """An experiment with the edits made while it ran, asked only by outer step.

    What a run started with and what was edited later are private: nobody can use one of
    them and forget the other. Values are immutable; a change returns another one.

    Attributes:
        identity: Tells runs apart: the same object for all histories of one run in this
            process, another one for every other run, also of an equal configuration.
    """

    __slots__ = ("_edits", "_made", "_start", "identity")

    def __init__(self, start: "ExperimentConfig", edits: Sequence[Edit] = ()) -> None:
        """Begin.

        Args:
            start: The experiment as the run started.
            edits: Changes of fields, in any order; those of one step in theirs.
        """
        self.identity = object()
        self._start = start
        self._edits = tuple(sorted(edits, key=attrgetter("step")))
        # By number of edits in force: one object each, so that readers may compare by
        # identity, and a frame of the window validates nothing.
        self._made: dict[int, ExperimentConfig] = {0: start}

    def at(self, step: int) -> "ExperimentConfig":
        """Return the configuration that outer step `step` was made and evaluated with.

        An edit at step s applies from outer step s + 1 on, so that the evaluation at s
        still has the old value.
        """
        return self._with_first(sum(edit.step < step for edit in self._edits))

    def after(self, step: int) -> "ExperimentConfig":
        """Return the configuration with which a run goes on from outer step `step`."""
        return self._with_first(sum(edit.step <= step for edit in self._edits))

    def edits_before(self, step: int) -> tuple[Edit, ...]:
        """Return the edits that `at(step)` contains, in order; for flags and notes."""
        return tuple(edit for edit in self._edits if edit.step < step)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All edits, in order; for flags and notes."""
        return self._edits

    def next_edit(self, step: int) -> int | None:
        """Return the first outer step after `step` at which something is edited."""
        return next((edit.step for edit in self._edits if edit.step > step), None)

    def with_edit(self, edit: Edit) -> "ConfigHistory":
        """Return the history with one more edit.

        Raises:
            EditError: The field cannot change while a run goes on.
            ConfigError: The value is not allowed.
        """
        made = self._changed([*self._edits, edit])
        made.after(edit.step)
        return made

    def until(self, step: int) -> "ConfigHistory":
        """Return the history without edits that step `step` does not know of yet."""
        known = self.edits_before(step)
        return self if known == self._edits else self._changed(known)

    def rewound(self, step: int, *, made: int) -> "ConfigHistory":
        """Return the history of a run that went back.

        Args:
            step: Where it went back to: what was in force stays in force from here on.
            made: The outer step at which the latest edit in force was made, at most;
                edits after it are still to come and stay where they are.
        """
        moved = [
            replace(edit, step=min(edit.step, step)) if edit.step <= made else edit
            for edit in self._edits
        ]
        return self if tuple(moved) == self._edits else self._changed(moved)

    def with_values(self, changes: Sequence[tuple[str, object]]) -> "ConfigHistory":
        """Return another run's history: with other values from the start on.

        Raises:
            ConfigError: A value is not allowed.
        """
        from metalab.experiment.fields import with_overrides  # noqa: PLC0415 - torch

        return ConfigHistory(with_overrides(self._start, changes), self._edits)

    def started_as(self, config: "ExperimentConfig") -> bool:
        """Return whether a run of `config`, never edited, is the same run so far."""
        mine = self._start
        same = mine.digest() == config.digest() and mine.run.seed == config.run.seed
        return same and not self._edits

    def to_mapping(self) -> dict[str, Any]:
        """Return plain values for a file: `config`, and `edits` where there are any."""
        facts: dict[str, Any] = {"config": self._start.to_mapping()}
        if self._edits:
            facts["edits"] = [asdict(edit) for edit in self._edits]
        return facts

    @classmethod
    def from_mapping(cls, facts: Mapping[str, Any]) -> "ConfigHistory":
        """Return what `to_mapping` has written.

        Raises:
            ConfigError: The configuration or an edit is not allowed.
            EditError: An edit is of a field that cannot change.
        """
        from metalab.experiment.fields import validated  # noqa: PLC0415 - torch

        edits = [Edit(**edit) for edit in facts.get("edits", ())]
        made = cls(validated(facts["config"]), edits)
        made._with_first(len(edits))
        return made

    def _changed(self, edits: Sequence[Edit]) -> "ConfigHistory":
        """Return the same run with other edits."""
        made = ConfigHistory(self._start, edits)
        made.identity = self.identity
        # Configurations whose edits are the same stay the same objects.
        for count, config in self._made.items():
            mine = [(edit.path, edit.value) for edit in self._edits[:count]]
            theirs = [(edit.path, edit.value) for edit in made._edits[:count]]
            if mine == theirs:
                made._made[count] = config
        return made

    def _with_first(self, count: int) -> "ExperimentConfig":
        if count not in self._made:
            from metalab.experiment.edits import edited  # noqa: PLC0415 - torch

            # Kept whole or not at all: threads may ask at once.
            self._made.setdefault(count, edited(self._start, self._edits[:count]))
        return self._made[count]


def config_history(config: "ExperimentConfig | ConfigHistory") -> ConfigHistory:
    """Return the history of a configuration that was never edited, or the given one."""
    return config if isinstance(config, ConfigHistory) else ConfigHistory(config)
