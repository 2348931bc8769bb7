"""Runs as they travel: with their tables, refused where they would be others."""

from dataclasses import replace

import pytest

from metalab.experiment.own_table import table_experiment
from metalab.runs.batch.batch import BatchError, PlannedRun
from metalab.runs.batch.parcel import pack, unpack
from metalab.tasks import table_store

TABLE = "task,x,y\n" + "".join(
    f"t{task},{n},{task + n * 0.5}\n" for task in range(12) for n in range(12)
)


def test_a_run_arrives_as_it_was_sent(config, tmp_path):
    planned = PlannedRun(config=config, path=tmp_path / "a.metalab", stop_at=7)
    assert unpack(pack(planned)) == planned


def test_a_table_travels_along(tmp_path, monkeypatch):
    file = tmp_path / "mine.csv"
    file.write_text(TABLE)
    options = {"data": str(file)}
    config = table_experiment("maml-gapminder", options, num_shots=5)
    parcel = pack(PlannedRun(config=config, path=tmp_path / "a.metalab"))
    file.unlink()
    monkeypatch.setattr(table_store, "_contents", {})
    assert unpack(parcel).config.digest() == config.digest()
    assert table_store.content_of(config.tasks.family.data) == TABLE.encode()


def test_what_would_be_another_run_is_refused(config, tmp_path):
    parcel = pack(PlannedRun(config=config, path=tmp_path / "a.metalab"))
    with pytest.raises(BatchError, match="different versions"):
        unpack(replace(parcel, digest="0" * 16))
    facts = {"plug-in of model": "lstm.py (sha256 3fa94c2d91b07e55)"}
    content = {**parcel.content, "model": {"kind": "lstm"}}
    with pytest.raises(BatchError, match=r"needs model.kind 'lstm' of plug-in lstm.py"):
        unpack(replace(parcel, plugins=facts, content=content))
