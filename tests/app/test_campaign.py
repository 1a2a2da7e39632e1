"""The campaign's mechanics on the embedded digits: order, sharing, a stop in the middle, results once."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.app.campaign import rows as rows_module
from bitwright.app.campaign.campaign import campaign, seconds_of
from bitwright.app.campaign.jobs import jobs_of
from bitwright.app.campaign.rows import ROWS, Row, find_rows
from bitwright.bench import summarize_seeds
from bitwright.bench.report import accuracy_table

TEACHER = 'data = "digits"\nmodel = "sign_mlp"\nfloat_twin = true\nepochs = 1\n[model_options]\nhidden = [16]\n'
FIRST = 'data = "digits"\nmodel = "sign_mlp"\nepochs = 1\n[model_options]\nhidden = [24]\n'


@pytest.fixture
def row(tmp_path, monkeypatch):
    (tmp_path / "teacher.toml").write_text(TEACHER)
    (tmp_path / "first.toml").write_text(FIRST)
    second = FIRST.replace("epochs = 1", f'start = "{tmp_path / "first.toml"}"\nepochs = 1')
    taught = f'\n[distill]\nweight = 0.5\nteacher = "{tmp_path / "teacher.toml"}"\nteacher_seed = 7\n'
    (tmp_path / "second.toml").write_text(second + taught)
    files = tuple(str(tmp_path / f"{name}.toml") for name in ("second", "first"))
    row = Row("digits", "a test", files, seeds=2, bar=10.0, device="cpu")
    monkeypatch.setattr(rows_module, "ROWS", (row,))
    return row


def test_each_job_comes_once_and_after_what_it_needs(row, tmp_path):
    jobs = jobs_of([row, row], tmp_path / "out")
    names = [job.folder.name for job in jobs]
    assert sorted(names) == ["first-seed0", "first-seed1", "second-seed0", "second-seed1", "teacher-seed7"]
    assert [job.wanted for job in jobs if job.folder.name.startswith("teacher")] == [False]
    assert all(job.wanted for job in jobs if not job.folder.name.startswith("teacher"))
    for place, job in enumerate(jobs):
        assert {need.name for need in job.needs} <= set(names[:place])


def test_a_stopped_campaign_goes_on_and_reads_the_test_set_once(row, tmp_path, capfd):
    go = {"out": tmp_path / "out", "results": tmp_path / "results", "at_once": 1}
    assert campaign(["digits"], dry=True, **go) == 0 and not (tmp_path / "out").exists()
    assert campaign(["digits"], budget="0.5s", **go) == 1  # stopped while its first run begins
    assert campaign(["digits"], **go) == 0
    results = {path.name: json.loads(path.read_text()) for path in (tmp_path / "results").glob("*.json")}
    assert sorted(results) == [f"{name}-seed{seed}.json" for name in ("first", "second") for seed in (0, 1)]
    assert {result["test_reads"] for result in results.values()} == {1}
    assert campaign(["digits"], **go) == 0
    assert json.loads((tmp_path / "results" / "first-seed0.json").read_text())["test_reads"] == 1
    said = capfd.readouterr().out
    assert "0 to do" in said and "bar 10.0 %" in said and "(2 seeds)" in said
    assert not list((tmp_path / "results" / "unfinished").glob("*"))


def test_a_model_that_does_not_freeze_is_trained_and_told_apart(tmp_path, monkeypatch):
    tiny = "patch = 4\nwidth = 12\ndepth = 1\nheads = 3\n"
    (tmp_path / "tiny_vit.toml").write_text(f'data = "digits"\nmodel = "vit"\nepochs = 1\n[model_options]\n{tiny}')
    row = Row("vit", "a test", (str(tmp_path / "tiny_vit.toml"),), seeds=1, device="cpu")
    monkeypatch.setattr(rows_module, "ROWS", (row,))
    assert campaign(["vit"], out=tmp_path / "out", results=tmp_path / "results") == 0
    result = json.loads((tmp_path / "results" / "tiny_vit-seed0.json").read_text())
    assert "softmax" in result["not_frozen"] and 5 < result["model_accuracy"] < 100 and result["test_reads"] == 1
    assert "does not freeze" in str(summarize_seeds("tiny_vit", tmp_path / "results"))
    assert "| `tiny_vit` | digits | does not freeze |" in accuracy_table(tmp_path / "results")


def test_bad_rows_and_budgets_are_named():
    assert seconds_of("") is None and seconds_of("25m") == 1500 and seconds_of("1.5h") == 5400
    with pytest.raises(ValueError, match="budget is '25', expected a number and a unit"):
        seconds_of("25")
    with pytest.raises(ValueError, match="no row 'nonsense'; rows:"):
        find_rows(["nonsense"])


def test_every_row_has_its_recipes_and_a_key_of_its_own():
    assert len({row.key for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert jobs_of([row], Path("out")), row.key
