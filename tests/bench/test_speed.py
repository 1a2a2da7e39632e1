"""What is timed and how it is called; never how fast it is."""

import os
import threading

import numpy as np
import pytest
import torch

from bitwright.bench import compare_speed, float_twin_of
from bitwright.bench.rivals import FLOAT_TWIN, RIVALS, rival_calls
from bitwright.bench.startup import measure_startup
from bitwright.bench.timing import interleaved, pinned, usable_cores
from bitwright.freeze import freeze
from bitwright.ir.executors import Interpreter
from bitwright.models import create_model, float_twin
from bitwright.train import Recipe

OPTIONS = {"shape": [1, 4, 4], "classes": 3, "hidden": [24, 16]}
QUICK = {"rounds": 2, "sample_seconds": 1e-4}


def test_rounds_are_interleaved_and_begin_with_another_call():
    order, warm = [], set()

    def call(name):
        def run():
            if name in warm:
                order.append(name)
            warm.add(name)

        return run

    taken = interleaved({name: call(name) for name in "abc"}, rounds=3, sample_seconds=0)
    # After warming up (a call and one sample each) every round has one sample of one call each.
    assert order[3:] == list("abcbcacab")
    assert all(timing.rounds == 3 and timing.calls == 1 for timing in taken.values())


def test_the_median_is_of_single_calls(monkeypatch):
    now, lasts = [0.0], iter([5, 1, 2, 2, 1, 2, 4, 4, 2, 2])  # warm; one call: too short; two: enough; 3 samples of two

    def call():
        now[0] += next(lasts)

    monkeypatch.setattr("bitwright.bench.timing.time.perf_counter", lambda: now[0])
    timing = interleaved({"a": call}, rounds=3, sample_seconds=4)["a"]
    assert (timing.seconds, timing.calls, timing.rounds) == (2.0, 2, 3)  # of 1.5, 4 and 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity calls: not on this system")
def test_pinned_holds_every_thread_of_the_process_and_lets_go():
    before, seen, go = os.sched_getaffinity(0), {}, threading.Event()

    def other():
        go.wait(10)
        seen["other"] = os.sched_getaffinity(0)

    thread = threading.Thread(target=other)
    thread.start()
    with pinned(1) as cores:
        assert os.sched_getaffinity(0) == set(cores) == {max(before)}
        go.set()
        thread.join()
    assert seen["other"] == {max(before)}
    assert os.sched_getaffinity(0) == before
    with pytest.raises(ValueError, match="may use"), pinned(len(before) + 1):
        pass


@pytest.fixture
def program():
    model = create_model("sign_mlp", seed=0, **OPTIONS).eval()
    recipe = Recipe(model="sign_mlp", model_options=OPTIONS)
    header = {"recipe": recipe.to_dict(), "input": {"kind": "image"}}
    return freeze(model, input=np.zeros((1, 1, 4, 4), np.uint8), header=header)


def test_every_batch_and_backend_is_timed_beside_the_twin(program, monkeypatch):
    given = []
    run = Interpreter.run

    def watched(self, program, x, threads=1):
        given.append((x.dtype, x.shape, threads))
        return run(self, program, x, threads)

    monkeypatch.setattr(Interpreter, "run", watched)
    twin = float_twin_of(program)
    report = compare_speed(program, twin, batches=(1, 5), threads=(1, 999), backends=["interpreter"], **QUICK)
    own = [(row.batch, row.threads) for row in report.rows if row.name == "bitwright interpreter"]
    assert own == [(1, 1), (5, 1)]
    assert set(given) == {(np.dtype(np.uint8), (1, 1, 4, 4), 1), (np.dtype(np.uint8), (5, 1, 4, 4), 1)}
    for row in report.rows:
        beside = report.row(row.batch, 1, FLOAT_TWIN)
        assert row.ratio == pytest.approx(beside.timing.seconds / row.timing.seconds)
        assert row.per_second == pytest.approx(row.batch * 1e6 / row.microseconds)
    assert report.fastest(5, 1).name == "bitwright interpreter"
    assert f"{usable_cores()} cores" in report.left_out["999 threads"]
    assert "beside the float twin" in str(report) and "999 threads" in str(report)


def test_the_twin_of_a_header_is_the_float_network_of_the_same_shape(program):
    twin = float_twin_of(program)
    expected = float_twin(create_model("sign_mlp", **OPTIONS))
    shapes = lambda m: {k: tuple(v.shape) for k, v in m.state_dict().items()}  # noqa: E731
    assert shapes(twin) == shapes(expected) and not twin.training
    program.header.clear()
    assert float_twin_of(program) is None


def test_the_rival_computes_the_twin_itself():
    for model in (create_model("sign_mlp", **OPTIONS), create_model("sign_cnn", shape=[1, 16, 16])):
        twin = float_twin(model).eval()
        x = np.random.default_rng(0).random((3, *model.input_shape), np.float32)
        calls, missing = rival_calls(twin, x, 1)
        assert set(calls) | set(missing) == set(RIVALS)
        with torch.no_grad():
            expected = twin(torch.from_numpy(x))
        assert torch.allclose(torch.as_tensor(calls[FLOAT_TWIN]()), expected, atol=1e-4)  # other orders of adding


def test_startup_runs_fresh_processes():
    found = measure_startup(rounds=1, commands=())
    assert found.beyond_numpy >= 0 and found.help == {}
