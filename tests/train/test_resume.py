"""Checkpoints of `fit`: it goes on in the middle of an epoch, refuses what is not its own, survives a full disk."""

import os
import signal

import pytest
import torch
from bands import FIELDS, made_up, network, same_state
from torch import nn

from bitwright.layers import BinaryLinear, Sign
from bitwright.train import (
    CheckpointError,
    TrainingInterrupted,
    fit,
    load_checkpoint,
    save_checkpoint,
)
from bitwright.train import run as run_module


def interrupt_at(monkeypatch, step):
    """Sends this process a Ctrl-C while the given optimizer step is computed."""
    seen = {"n": 0}
    real = run_module.augment

    def counted(*args):
        seen["n"] += 1
        if seen["n"] == step:
            os.kill(os.getpid(), signal.SIGINT)
        return real(*args)

    monkeypatch.setattr(run_module, "augment", counted)


@pytest.mark.skipif(os.name == "nt", reason="signals: not on this system")
@pytest.mark.parametrize("step", [1, 7, 11, 12, 33])  # 11 steps an epoch
def test_ctrl_c_then_resume_is_the_uninterrupted_run(tmp_path, monkeypatch, capsys, step):
    whole = network()
    result = fit(whole, made_up(), folder=tmp_path / "a", progress=False, **FIELDS)
    interrupt_at(monkeypatch, step)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingInterrupted, match="continue with"):
        fit(network(), made_up(), folder=tmp_path / "b", progress=False, **FIELDS)
    assert signal.getsignal(signal.SIGINT) is before and "resume" in capsys.readouterr().err
    saved = load_checkpoint(tmp_path / "b" / "checkpoint.pt")
    assert saved["epoch"] * 11 + saved["step"] == step
    again = fit(network(seed=9), made_up(), folder=tmp_path / "b", resume=True, progress=False, **FIELDS)
    assert same_state(whole, again.model) and again.history == result.history
    lines = [(tmp_path / name / "metrics.jsonl").read_text().splitlines() for name in "ab"]
    assert len(lines[0]) == len(lines[1]) == 3


def test_resuming_a_finished_run_changes_nothing_and_without_a_checkpoint_it_starts(tmp_path):
    first = fit(network(), made_up(), folder=tmp_path, resume=True, progress=False, batchnorm_batches=3, **FIELDS)
    state = {key: value.clone() for key, value in first.model.state_dict().items()}
    again = fit(network(4), made_up(), folder=tmp_path, resume=True, progress=False, batchnorm_batches=3, **FIELDS)
    assert all(torch.equal(value, state[key]) for key, value in again.model.state_dict().items())


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    fit(network(), made_up(), folder=tmp_path, progress=False, **FIELDS)
    go = {"folder": tmp_path, "resume": True, "progress": False}
    with pytest.raises(CheckpointError, match="another model.*1.weight"):
        fit(network(width=17), made_up(), **go, **FIELDS)
    with pytest.raises(CheckpointError, match=r"another recipe .lr: 0.02 there, 0.5 here"):
        fit(network(), made_up(), **go, **{**FIELDS, "lr": 0.5})
    with pytest.raises(CheckpointError, match="other data"):
        fit(network(), made_up(seed=1), **go, **FIELDS)
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(CheckpointError, match="not readable"):
        fit(network(), made_up(), **go, **FIELDS)
    with pytest.raises(FileNotFoundError, match="start without resume"):
        load_checkpoint(tmp_path / "none.pt")


def test_a_checkpoint_older_than_a_field_of_the_recipe_goes_on(tmp_path):
    fit(network(), made_up(), folder=tmp_path, progress=False, **FIELDS)
    path = tmp_path / "checkpoint.pt"
    state = load_checkpoint(path)
    for field in ("start", "label_smoothing"):
        del state["recipe"][field]
    del state["recipe"]["augment"]["flip"], state["format"]
    save_checkpoint(path, state)
    go = {"folder": tmp_path, "resume": True, "progress": False}
    fit(network(), made_up(), **go, **FIELDS)
    with pytest.raises(CheckpointError, match="another recipe .label_smoothing: 0.0 there, 0.1 here"):
        fit(network(), made_up(), **go, **{**FIELDS, "label_smoothing": 0.1})


def test_a_checkpoint_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.system, ("touch pwned",))

    torch.save({"format": 1, "evil": Evil()}, tmp_path / "checkpoint.pt")
    with pytest.raises(CheckpointError, match="not readable"):
        load_checkpoint(tmp_path / "checkpoint.pt")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full: not on this system")
def test_a_full_disk_keeps_the_old_checkpoint(tmp_path):
    fit(network(), made_up(), folder=tmp_path, progress=False, **FIELDS)
    old = (tmp_path / "checkpoint.pt").read_bytes()
    (tmp_path / "checkpoint.pt.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="the disk is full; the checkpoint before it is kept; free space"):
        fit(network(1), made_up(), folder=tmp_path, progress=False, **{**FIELDS, "seed": 3})
    assert (tmp_path / "checkpoint.pt").read_bytes() == old and not (tmp_path / "checkpoint.pt.part").exists()


def test_a_kill_between_the_last_epoch_and_what_follows_it_loses_nothing(tmp_path, monkeypatch):
    """The last epoch's own checkpoint is resumed by estimating the batch norms, as a whole run does."""
    from bitwright.train.run import Run

    def net():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), BinaryLinear(36, 8), nn.BatchNorm1d(8), Sign(), BinaryLinear(8, 3))

    def killed(run):
        raise MemoryError

    data, fields = made_up(), {**FIELDS, "epochs": 2, "batchnorm_batches": 3, "checkpoint_seconds": 0.0}
    whole = fit(net(), data, progress=False, **fields).model
    with monkeypatch.context() as patched, pytest.raises(MemoryError):
        patched.setattr(Run, "finish", killed)
        fit(net(), data, progress=False, folder=tmp_path, **fields)
    resumed = fit(net(), data, progress=False, folder=tmp_path, resume=True, **fields).model
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
