"""Reports of one run and of several: what they hold, and that their commands run."""

import re
import shlex
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from pypdf import PdfReader

from metalab.analysis.evaluate import evaluate_fresh
from metalab.catalog.recipes import recipes
from metalab.cli.main import run as run_command
from metalab.core.errors import UserError
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.batch.batch import PlannedRun, carry_out
from metalab.runs.record.reader import open_run
from metalab.studies.reporting.as_html import inline_svg
from metalab.studies.reporting.commands import train_command
from metalab.studies.reporting.contents import report_on
from metalab.studies.reporting.document import Grid, Picture, words_of
from metalab.studies.reporting.methods import methods_paragraph
from metalab.studies.reporting.write import write_report

SMALL = [
    ("outer.num_steps", 3),
    ("evaluation.num_tasks", 16),
    ("run.provider", "autodiff"),
    ("model.hidden_sizes", [8]),
]


def made(folder, preset, seed):
    config = with_overrides(preset_config(preset), [*SMALL, ("run.seed", seed)])
    path = folder / f"{preset}-{seed}.metalab"
    carry_out(
        PlannedRun(config=config, path=path),
        tell=lambda _: None,
        stopping=lambda: False,
    )
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [
        made(folder, preset, seed)
        for preset in ("maml-sine", "fomaml-sine")
        for seed in (0, 1)
    ]


@pytest.fixture(scope="module")
def one(files):
    return report_on(files[:1])


@pytest.fixture(scope="module")
def several(files):
    return report_on(files, num_tasks=20)


def commands_in(document):
    words = words_of(document)
    return [
        shlex.split(line) for line in words.splitlines() if line.startswith("metalab ")
    ]


def test_a_report_of_one_run_holds_what_a_paper_needs(one, files):
    words = words_of(one)
    config = open_run(files[0]).history.config_at()
    assert config.digest() in one.lead
    assert "Finn, Abbeel & Levine 2017, algorithm 1" in words
    assert "@inproceedings{finn2017maml," in words
    assert "torch\t2." in words
    assert "Query loss (y²) on 600 held-out tasks after K = 1 inner step" in words
    titles = [block.title for block in one.blocks if isinstance(block, Picture)]
    assert len(titles) == 4
    tables = [block for block in one.blocks if isinstance(block, Grid)]
    changed = next(t for t in tables if "Preset maml-sine" in t.headings)
    assert {row[1] for row in changed.rows} == {path for path, _ in SMALL}


def test_the_held_out_table_is_that_of_eval(one, files):
    stored = open_run(files[0])
    alone = evaluate_fresh(
        stored.history.config_at(),
        stored.newest_state(),
        num_tasks=600,
        num_shots=10,
        num_queries=100,
        num_inner_steps=10,
        seed=0,
    )
    table = next(b for b in one.blocks if isinstance(b, Grid) and len(b.rows) == 11)
    means = [float(row[1].split()[0]) for row in table.rows]
    np.testing.assert_allclose(means, alone.query_loss.mean(axis=0), rtol=0.006)
    assert table.rows[1][0] == "1 (K)"


def test_the_commands_of_a_report_make_the_run_again(one, tmp_path, monkeypatch, files):
    monkeypatch.chdir(tmp_path)
    train, evaluate, report = commands_in(one)
    for command in (train, evaluate, report):
        assert run_command(command[1:]) == 0, command
    again, before = open_run(tmp_path / files[0].name), open_run(files[0])
    np.testing.assert_array_equal(again.newest_state().phi, before.newest_state().phi)
    assert (tmp_path / "maml-sine-0.html").stat().st_size > 100_000


def test_the_commands_of_a_comparison_run(several, tmp_path, monkeypatch, files):
    monkeypatch.chdir(tmp_path)
    commands = commands_in(several)
    assert len(commands) == len(files) + 2
    for command in commands[:-2]:
        assert run_command(command[1:]) == 0
    assert run_command(commands[-2][1:]) == 0
    for path in files:
        again = open_run(tmp_path / path.name).newest_state()
        np.testing.assert_array_equal(again.phi, open_run(path).newest_state().phi)


@pytest.mark.parametrize("preset", ["imaml-sine", "maml-gapminder", "cavia-sine"])
def test_a_command_makes_the_very_experiment(preset, tmp_path):
    config = with_overrides(
        preset_config(preset), [("run.seed", 4), ("name", "my run's 1st")]
    )
    words = shlex.split(train_command(config, "x.metalab"))
    assert words[:2] == ["metalab", "train"]
    assert "--preset" in words
    assert words[-4:] == ["--seed", "4", "--out", "x.metalab"]
    assert 'name="my run\'s 1st"' in words


def test_an_experiment_of_no_preset_goes_by_what_it_changes_or_its_code():
    changed = with_overrides(preset_config("maml-sine"), [("tasks.num_shots", 3)])
    assert "--set tasks.num_shots=3" in train_command(changed, "x.metalab")
    lists = with_overrides(preset_config("maml-sine"), [("model.hidden_sizes", [7, 8])])
    words = shlex.split(train_command(lists, "x.metalab"))
    assert "model.hidden_sizes=[7, 8]" in words


def test_a_comparison_tells_methods_differences_and_runs(several):
    words = words_of(several)
    assert several.title == "Comparison: maml-sine, fomaml-sine"
    assert "Hypergradient: Hypergradient\tunrolled\tfirst-order" in words
    assert "fomaml-sine against maml-sine, task by task" in words
    assert words.count("@inproceedings{finn2017maml,") == 1
    assert "is counted as longer than it went on" in words
    assert "maml-sine-1.metalab\t1\t" in words


def test_a_figure_that_cannot_be_drawn_says_why(files, tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise UserError("there is no such room")

    monkeypatch.setattr("metalab.studies.reporting.sections.encode", refuse)
    words = words_of(report_on(files[:1]))
    assert "Losses over training: there is no such room." in words


class _References(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.ids = [], []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "href", "xlink:href"):
                self.found.append(value)
            if name == "id":
                self.ids.append(value)


def test_the_page_fetches_nothing_and_its_identifiers_are_unique(several, tmp_path):
    write_report(several, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    seen = _References()
    seen.feed(text)
    assert seen.found
    assert all(value.startswith("#") for value in seen.found)
    assert {value[1:] for value in seen.found} <= set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids))
    assert "<script" not in text
    assert "@media print" in text
    assert text.count("<svg") == text.count("<figcaption>") == 4


def test_identifiers_and_their_uses_get_one_prefix():
    svg = (
        '<?xml version="1.0"?>\n<svg viewBox="0 0 1 1"><title>t</title>'
        '<g id="a"/><use xlink:href="#a"/><g clip-path="url(#a)"/></svg>'
    )
    assert inline_svg(svg, "f1-") == (
        '<svg viewBox="0 0 1 1"><g id="f1-a"/><use xlink:href="#f1-a"/>'
        '<g clip-path="url(#f1-a)"/></svg>'
    )


def test_the_pdf_is_searchable_and_the_same_each_time(one, several, tmp_path):
    for document, name in ((one, "one.pdf"), (several, "several.pdf")):
        write_report(document, tmp_path / name)
        reader = PdfReader(tmp_path / name)
        text = " ".join(page.extract_text() for page in reader.pages)
        flat = re.sub(r"\s+", " ", text)
        assert "Commands that reproduce it" in flat
        assert "@inproceedings{finn2017maml," in flat
        assert reader.metadata is not None
        assert reader.metadata.title == document.title
        sections = [e for e in reader.outline if not isinstance(e, list)]
        assert "BibTeX" in [entry["/Title"] for entry in sections]
        content = (tmp_path / name).read_bytes()
        write_report(document, tmp_path / name)
        assert (tmp_path / name).read_bytes() == content


def test_bad_targets_are_refused_before_anything_is_measured(files, tmp_path, capsys):
    target = tmp_path / "report.docx"
    assert run_command(["report", str(files[0]), "--to", str(target)]) == 2
    assert "allowed: .html, .pdf" in capsys.readouterr().err
    taken = tmp_path / "report.pdf"
    taken.write_text("mine")
    assert run_command(["report", str(files[0]), "--to", str(taken)]) == 2
    assert taken.read_text() == "mine"
    assert run_command(["report", "none.metalab", "--to", str(target)]) == 2
    with pytest.raises(UserError, match="no run file was given"):
        report_on([])


def test_a_run_that_diverged_is_told(tmp_path):
    config = with_overrides(
        preset_config("maml-sine"),
        [*SMALL, ("inner.inner_lr", 10.0), ("inner.num_inner_steps", 40)],
    )
    path = tmp_path / "wreck.metalab"
    carry_out(
        PlannedRun(config=config, path=path),
        tell=lambda _: None,
        stopping=lambda: False,
    )
    words = words_of(report_on([path]))
    assert "The run diverged:" in words
    assert "Diverged at outer step" in words


def test_every_published_recipe_has_a_whole_entry():
    nobody = {"oracle", "scratch", "least-squares"}
    for recipe in recipes().values():
        assert bool(recipe.bibtex) == (recipe.name not in nobody), recipe.name
        for entry in recipe.bibtex:
            assert re.match(r"@\w+\{\w+,\n", entry)
            assert entry.count("{") == entry.count("}")
            year = re.search(r"year = \{(\d{4})\}", entry)
            assert year is not None
            assert year[1] in recipe.source
            first = re.search(r"author = \{([^,]+),", entry)
            assert first is not None
            plain = first[1].replace('{\\"a}', "ä")
            assert plain in recipe.source


def test_the_paragraph_states_the_protocol():
    words = methods_paragraph(preset_config("maml-sine"))
    for part in (
        "10 support points and 10 query points a task",
        "hidden sizes 40, 40 units",
        "inner lr 0.01",
        "meta-batch of 25 tasks, 70,000 outer steps",
        "through every inner step, second derivatives included",
    ):
        assert part in words
    assert " off" not in words


@pytest.mark.slow
def test_a_shared_folder_of_runs_is_one_comparison(files, tmp_path):
    for path in files:
        shutil.copy(path, tmp_path)
    target = tmp_path / "all.html"
    command = ["report", str(tmp_path), "--to", str(target), "--num-tasks", "10"]
    assert run_command(command) == 0
    assert "4 runs of 2 methods on 10 held-out" in target.read_text(encoding="utf-8")
