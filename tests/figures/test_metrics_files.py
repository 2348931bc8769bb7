"""Metrics in the formats of other tools, read by these tools."""

import csv
import sys
from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import metalab as ml
from metalab.core.errors import UserError
from tests.support.experiments import small


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("metrics") / "run.metalab"
    config = small("imaml-sine", outer__num_steps=6, evaluation__every=3)
    return ml.train(config, path=path, progress=False)


@pytest.fixture
def last(run):
    """The last values, as the run's own interface has them."""
    evaluated = run.evaluations
    rows = evaluated["inner_step"] == run.config.num_inner_steps
    return {
        "outer_loss": run.metrics["outer_loss"][-1],
        "seconds": run.metrics["seconds"][-1],
        "hypergradient_norm": run.metrics["hypergradient_norm"][-1],
        "held_out_query_loss": evaluated["query_mean"][rows][-1],
    }


def test_pandas_and_polars_read_csv(run, last, tmp_path):
    path = tmp_path / "metrics.csv"
    run.export_metrics(path)
    frame = pd.read_csv(path)
    assert {name: frame[name].iloc[-1] for name in last} == last
    assert frame["step"].tolist() == list(range(7))
    found = pl.read_csv(path)
    assert {name: found[name][-1] for name in last} == last


def test_pandas_and_polars_read_parquet(run, last, tmp_path):
    path = tmp_path / "metrics.parquet"
    run.export_metrics(path)
    frame = pd.read_parquet(path)
    assert {name: frame[name].iloc[-1] for name in last} == last
    found = pl.read_parquet(path)
    assert {name: found[name][-1] for name in last} == last
    assert found["step"].dtype == pl.Int64
    assert found["outer_loss"][0] is None
    assert found["held_out_query_loss"].null_count() < len(found)


def test_tensorboard_reads_its_events(run, last, tmp_path):
    run.export_metrics(tmp_path / "board")
    events = EventAccumulator(str(tmp_path / "board"))
    events.Reload()
    for name, value in last.items():
        scalar = events.Scalars(name)[-1]
        assert scalar.step == 6
        assert scalar.value == np.float32(value)
    created = datetime.fromisoformat(run._stored.created).timestamp()
    assert scalar.wall_time == pytest.approx(created + last["seconds"], abs=1e-3)
    with pytest.raises(UserError, match="exists already"):
        run.export_metrics(tmp_path / "board")
    run.export_metrics(tmp_path / "board", force=True)
    assert len(list((tmp_path / "board").iterdir())) == 1


def test_trackio_reads_its_csv(run, last, tmp_path):
    """As `trackio.import_csv` does: step, timestamp, and numbers or empty cells."""
    path = tmp_path / "run.csv"
    run.export_metrics(path, "trackio")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(float(row["step"])) for row in rows] == list(range(7))
    moments = [datetime.fromisoformat(row["timestamp"]) for row in rows]
    assert moments == sorted(moments)
    assert moments[0].isoformat() == run._stored.created
    assert {name: float(rows[-1][name]) for name in last} == last


def test_at_a_moment(run, tmp_path):
    path = tmp_path / "early.csv"
    run.at(3).export_metrics(path)
    assert pd.read_csv(path)["step"].max() == 3


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("metrics.xlsx", None, "ends in '.xlsx'; allowed: .csv, .parquet, or a folder"),
        ("metrics.csv", "parquet", "ends in '.csv'; allowed for parquet: .parquet"),
        ("metrics.csv", "excel", "format is 'excel'; allowed: csv, parquet"),
        ("no/metrics.csv", None, "does not exist"),
        ("no/board", None, "does not exist"),
    ],
)
def test_refusals(run, tmp_path, name, kind, message):
    with pytest.raises(UserError, match=message):
        run.export_metrics(tmp_path / name, kind)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("a.parquet", "pyarrow", "parquet"), ("board", "tensorboard", "tensorboard")],
)
def test_a_missing_extra(run, tmp_path, monkeypatch, name, package, extra):
    for module in list(sys.modules):
        if module.split(".")[0] == package:
            monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with pytest.raises(UserError, match=rf"pip install 'metalab\[{extra}\]'"):
        run.export_metrics(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_what_is_there_stays(run, tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        run.export_metrics(path)
    assert path.read_text() == "mine"
    run.export_metrics(path, force=True)
    assert path.read_text().startswith("step,seconds,outer_loss,")
