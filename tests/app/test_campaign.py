"""The campaign's mechanics on the embedded digits: order, sharing, a stop in the middle, results once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.app.campaign import jobs as jobs_module
from bitwright.app.campaign import rows as rows_module
from bitwright.app.campaign.campaign import campaign, main, seconds_of
from bitwright.app.campaign.command import campaign_command
from bitwright.app.campaign.jobs import Job, jobs_of, keep_unfinished, take_up_unfinished
from bitwright.app.campaign.rows import ROWS, Row, find_rows
from bitwright.app.campaign.run import run_jobs
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


def test_the_first_seed_of_all_comes_before_the_second(row, tmp_path):
    seeds = [job.seed for job in jobs_of([row], tmp_path / "out") if job.wanted]
    assert seeds == sorted(seeds) and set(seeds) == {0, 1}
    assert {job.seed for job in jobs_of([row], tmp_path / "out", seeds=1) if job.wanted} == {0}


def test_missing_data_are_asked_for_once_and_before_any_run(row, tmp_path, monkeypatch):
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("BITWRIGHT_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("BITWRIGHT_MIRROR", "http://127.0.0.1:9")  # nobody listens there
    lacking = tmp_path / "first.toml"
    lacking.write_text(FIRST.replace('"digits"', '"mnist"'))
    with pytest.raises(OSError, match="Nothing was kept"):
        campaign(["digits"], out=tmp_path / "out", results=tmp_path / "results")
    assert not (tmp_path / "out").exists()


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


def test_dry_tells_how_far_a_run_is(row, tmp_path, capfd):
    folder = tmp_path / "out" / "first-seed0"
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").touch()
    (folder / "metrics.jsonl").write_text('{"epoch": 3, "loss": 0.25, "val_accuracy": 81.0}\n')
    assert campaign(["digits"], dry=True, out=tmp_path / "out", results=tmp_path / "results") == 0
    lines = capfd.readouterr().out.splitlines()
    assert "  first-seed0  (epoch 3, loss 0.2500, validation 81.00 %)" in lines and "  first-seed1" in lines


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


def test_a_run_is_read_as_soon_as_it_is_trained_and_one_left_unread_is_read_later(row, tmp_path, capfd):
    out, results = tmp_path / "out", tmp_path / "results"
    jobs = [job for job in jobs_of([row], out) if job.folder.name.startswith("first")]
    assert run_jobs(jobs[:1]) and not results.exists()  # trained without reading
    seen = []  # files of results each time something is said
    assert jobs[0].left(results) and not jobs[0].left(None)
    assert run_jobs(jobs, results=results, say=lambda text: seen.append((text, len(list(results.glob("*.json"))))))
    assert [(text.split(":")[0], n) for text, n in seen if "done" in text] == [("first-seed0", 1), ("first-seed1", 2)]


def test_small_checkpoints_are_kept_taken_up_and_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs_module, "LARGEST", 10)
    (tmp_path / "first.toml").write_text(FIRST)
    store, here, there = tmp_path / "unfinished", tmp_path / "here", tmp_path / "there"
    small, large, own = (Job(tmp_path / "first.toml", seed, here / f"first-seed{seed}") for seed in range(3))
    for job, content in ((small, b"small"), (large, b"much too large"), (own, b"kept")):
        job.folder.mkdir(parents=True)
        (job.folder / "checkpoint.pt").write_bytes(content)
    assert keep_unfinished([small, large, own], store) == [large]
    assert sorted(store.iterdir()) == sorted([store / small.kept, store / own.kept])
    said: list[str] = []
    run_jobs([large], budget=0.0, store=store, say=said.append)
    assert any("too large for" in text and "first-seed1" in text for text in said)
    other = [Job(job.recipe, job.seed, there / job.folder.name) for job in (small, large, own)]
    other[2].folder.mkdir(parents=True)
    (other[2].folder / "checkpoint.pt").write_bytes(b"further")
    take_up_unfinished(other, store)
    found = [job.folder / "checkpoint.pt" for job in other]
    assert [path.read_bytes() if path.exists() else None for path in found] == [b"small", None, b"further"]
    (other[0].folder / "model.bw").touch()
    keep_unfinished(other[:1], store)
    assert list(store.iterdir()) == [store / own.kept]


def test_a_kept_checkpoint_of_an_edited_recipe_is_left_alone(tmp_path):
    recipe, store = tmp_path / "first.toml", tmp_path / "unfinished"
    recipe.write_text(FIRST)
    job = Job(recipe, 0, tmp_path / "here" / "first-seed0")
    job.folder.mkdir(parents=True)
    (job.folder / "checkpoint.pt").write_bytes(b"old")
    assert keep_unfinished([job], store) == []
    (job.folder / "checkpoint.pt").unlink()
    recipe.write_text(FIRST.replace("[24]", "[25]"))
    take_up_unfinished([job], store)
    assert not (job.folder / "checkpoint.pt").exists()
    recipe.write_text(f"# a word\n{FIRST}")
    take_up_unfinished([job], store)
    assert (job.folder / "checkpoint.pt").read_bytes() == b"old" == (store / job.kept).read_bytes()


def test_a_job_behind_one_that_failed_says_so(row, tmp_path):
    jobs = jobs_of([row], tmp_path / "out")
    teacher = next(job for job in jobs if not job.wanted and not job.needs and "teacher" in job.folder.name)
    teacher.folder.mkdir(parents=True)
    (teacher.folder / "run.json").write_text('{"failed": "diverged"}')
    said = []
    behind = [job for job in jobs if teacher.folder in job.needs]
    assert not run_jobs([teacher, *behind], say=said.append)
    assert said == [f"{job.folder.name}: not begun; it needs teacher-seed7, which did not finish" for job in behind]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_run_outlives_its_campaign(number, tmp_path):
    (tmp_path / "long.toml").write_text(FIRST.replace("epochs = 1", "epochs = 100000"))
    ask = (
        "from bitwright.app.campaign import rows\n"
        "from bitwright.app.campaign.campaign import campaign\n"
        f"rows.ROWS = (rows.Row('long', 'a test', ({str(tmp_path / 'long.toml')!r},), seeds=1, device='cpu'),)\n"
        "campaign(['long'])"
    )
    campaign_process = subprocess.Popen([sys.executable, "-c", ask], cwd=tmp_path)
    folder = tmp_path / "runs" / "campaign" / "long-seed0"
    _until(lambda: (folder / "metrics.jsonl").exists() and (folder / "metrics.jsonl").stat().st_size > 0)
    campaign_process.send_signal(number)
    campaign_process.wait(600)
    _until((folder / "checkpoint.pt").exists)
    size = (folder / "metrics.jsonl").stat().st_size
    time.sleep(1.0)
    assert (folder / "metrics.jsonl").stat().st_size == size  # nobody goes on training
    kept = (tmp_path / "results" / "unfinished").glob("long-seed0-*.pt")
    assert bool(list(kept)) == (number == signal.SIGTERM)


def _until(what, seconds=600):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_bare_source_tree_runs_the_campaign_and_the_papers(tmp_path):
    """Without tyro and rich, and without installation."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('tyro', 'rich', 'safetensors', 'typeguard'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    sources = Path(rows_module.__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{sources}"}

    def ask(*words):
        command = [sys.executable, "-m", "bitwright", *words]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)

    dry, papers, other = ask("campaign", "--rows", "gnet", "--dry"), ask("papers"), ask("summary", "mnist_gnet")
    assert dry.returncode == 0 and "1 row, 6 runs, 6 to do" in dry.stdout and "cifar_gnet-seed2" in dry.stdout
    assert "gnet: G-Net as codes of at most 4,095 signs; bar 80.0 %" in dry.stdout
    assert papers.returncode == 0 and "| MNIST, 48,000 gates | 97.69 ± 0.11 |" in papers.stdout
    assert other.returncode == 2 and "'summary' needs tyro" in other.stderr and "Traceback" not in other.stderr


def test_bad_rows_and_budgets_are_named(capsys):
    with pytest.raises(ValueError, match="at_once is -1"):
        campaign(["gnet"], at_once=-1)
    assert main(["--rows", "gnet", "--budget", "5"]) == 2
    assert (
        capsys.readouterr().err
        == "bitwright: error: campaign: budget is '5', expected a number and a unit: 90s, 25m, 8h\n"
    )
    assert seconds_of("") is None and seconds_of("25m") == 1500 and seconds_of("1.5h") == 5400
    with pytest.raises(ValueError, match="budget is '25', expected a number and a unit"):
        seconds_of("25")
    with pytest.raises(ValueError, match="no row 'nonsense'; rows:"):
        find_rows(["nonsense"])


def test_every_row_has_its_recipes_and_a_key_of_its_own_that_help_names():
    assert len({row.key for row in ROWS}) == len(ROWS)
    said = " ".join((campaign_command.__doc__ or "").split())
    assert f"rows: {', '.join(row.key for row in ROWS)};" in said
    for row in ROWS:
        assert jobs_of([row], Path("out")), row.key
