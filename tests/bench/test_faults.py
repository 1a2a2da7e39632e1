"""Flips at exact rates: counted bit by bit, for every target, and what half of all bits leaves."""

import json

import numpy as np
import pytest

from bitwright.bench import faults
from bitwright.bench.fault_pieces import pieces
from bitwright.bench.faults import (
    STORED,
    TARGETS,
    damage,
    fault_curve,
    flip_by_vote,
    flip_exactly,
    run_damaged,
    stored_sizes,
    summarize_faults,
)
from bitwright.bench.replicas import copies_within, crossings
from bitwright.bench.svg_curves import svg_curves
from bitwright.cli import main
from bitwright.ir import Builder, execute


def little_program(seed=0):
    """Every kind of constant: bit, i4 and i8 weights, a table, thresholds, an affine, counts, a projection."""
    rng = np.random.default_rng(seed)
    b = Builder()
    x = b.input("int", (12,), -20, 20)
    first = b.int_linear(x, rng.integers(-8, 8, (30, 12)), "i4")
    bits = b.threshold(first, rng.integers(-40, 40, 30), rng.integers(0, 2, 30))
    gates = b.lut(bits, rng.integers(0, 30, (25, 2)), rng.integers(0, 16, 25).astype(np.uint64))
    sums = b.xnor_linear(gates, rng.integers(0, 2, (9, 25)))
    scaled = b.affine(sums, rng.integers(-9, 9, 9), rng.integers(-9, 9, 9), np.full(9, 2))
    codes = b.project(scaled, 33, "rademacher", 4)
    votes = b.count(codes, [[0, 1, 2], [3, 4], [5, 6, 7, 8]])
    last = b.int_linear(votes, rng.integers(-100, 100, (4, 3)), "i8")
    return b.finish(last)


def inputs(n=40):
    return np.random.default_rng(1).integers(-20, 21, (n, 12)).astype(np.int8)


def test_flips_are_exact_and_without_replacement():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, 1001).astype(np.uint8)
    for rate in (0, 0.001, 0.1, 0.5, 1):
        assert (flip_exactly(bits, rate, rng) != bits).sum() == round(rate * 1001)


def stored_numbers(program, names):
    """(value, bits a number) of every constant, as bits of two's complement."""
    width = {"bit": 1, "i4": 4, "i8": 8, "u8": 8, "table": 4}
    kinds = {("int_linear", 1): "i4", ("int_linear", 8): "i8"}
    for i, op in enumerate(program.ops):
        for name in names:
            if name in op.consts:
                kind = kinds.get((op.name, i), "bit" if name in ("w", "flip", "invert") else "i8")
                yield op.consts[name].astype(np.int64), width["table" if name == "table" else kind]


@pytest.mark.parametrize("target", STORED)
@pytest.mark.parametrize("rate", [0.0, 0.07, 0.5, 1.0])
def test_stored_bits_are_counted_one_by_one(target, rate):
    program = little_program()
    damaged, flipped, bits = damage(program, target, rate, seed=3)
    differing = total = 0
    for (old, width), (new, _) in zip(stored_numbers(program, STORED[target]), stored_numbers(damaged, STORED[target])):
        xor = (old ^ new) & ((1 << width) - 1)
        differing += sum(int(number).bit_count() for number in xor.ravel())
        total += old.size * width
    assert (differing, total) == (flipped, bits) and flipped == round(rate * total)
    again = damage(program, target, rate, seed=3)[0]
    assert (again.run(inputs()) == damaged.run(inputs())).all()
    if rate == 0:
        assert (damaged.run(inputs()) == program.run(inputs())).all()


@pytest.mark.parametrize("target", [t for t in TARGETS if t not in STORED])
def test_running_bits_are_flipped_in_every_sample(target):
    program, x = little_program(), inputs()
    scores, flipped, bits = run_damaged(program, x, target, 0.0, 0)
    assert (scores == program.run(x)).all() and flipped == 0
    sizes = {"activations": 30 + 25 + 33, "projections": 33}
    types = program.types
    ranges = [types[i] for i, op in enumerate(program.ops) if op.name in ("int_linear", "xnor_linear", "count")]
    widths = [next(w for w in range(1, 64) if -(1 << w - 1) <= t.lo and t.hi < 1 << w - 1) for t in ranges]
    sizes["accumulators"] = sum(w * t.shape[0] for w, t in zip(widths, ranges))
    assert bits == len(x) * sizes[target]
    scores, flipped, _ = run_damaged(program, x, target, 0.2, 0)
    assert abs(flipped - 0.2 * bits) <= 2 * len(x) and (scores != program.run(x)).any()
    assert scores.min() >= types[-1].lo and scores.max() <= types[-1].hi


@pytest.mark.parametrize("target", [t for t in TARGETS if t not in STORED])
def test_pieces_between_damaged_values_are_the_interpreter(target, monkeypatch):
    b = Builder()  # beside the little one: images, pools, values that are moved
    rng = np.random.default_rng(3)
    x = b.patches(b.input("int", (2, 6, 5), -9, 9), (3, 2), padding=1)
    sums = b.xnor_conv2d(b.project(x, 33, "hadamard", 1, rounds=2), rng.integers(0, 2, (4, 33, 1, 1)))
    flat = b.reshape(b.clip(b.max_pool2d(sums, 2, 2), 0, 20), (4 * 3 * 3,))
    image = b.finish(b.xnor_linear(b.project(flat, 65, "rademacher", 2), rng.integers(0, 2, (3, 65))))
    for program, data in ((little_program(), inputs()), (image, rng.integers(-9, 10, (7, 2, 6, 5)))):
        got = run_damaged(program, data, target, 0.1, 5)
        assert pieces(program, (3,)) and len(pieces(program, (3,))) == 2
        with monkeypatch.context() as patch:
            patch.setattr(faults, "pieces", lambda program, cuts: None)
            want = run_damaged(program, data, target, 0.1, 5)
        assert (got[0] == want[0]).all() and got[1:] == want[1:] and want[1] > 0


def test_a_value_that_is_read_twice_leaves_no_pieces():
    b = Builder()
    x = b.input("int", (5,), -9, 9)
    sums = b.int_linear(b.threshold(x, np.zeros(5, np.int64)), np.ones((5, 5), int), "i4")
    program = b.finish(b.add(sums, x))
    assert pieces(program, (2,)) is None
    data = np.random.default_rng(0).integers(-9, 10, (20, 5)).astype(np.int8)
    assert (run_damaged(program, data, "accumulators", 0.0, 0)[0] == execute(program, data)[-1]).all()


def test_all_sets_of_flips_come_alike():
    """Of 5 places 2: ten sets, 4,000 draws."""
    rng = np.random.default_rng(0)
    drawn = np.stack([faults._exactly(2, 5, rng) for _ in range(4000)])
    assert (drawn.sum(1) == 2).all()
    counts = np.unique(drawn @ (1 << np.arange(5)), return_counts=True)[1]
    assert len(counts) == 10 and ((counts - 400) ** 2 / 400).sum() < 27.9  # chi square, 9 degrees, 1 in 1,000
    assert faults._exactly(0, 5, rng).sum() == 0 and faults._exactly(5, 5, rng).sum() == 5


def test_all_activations_flipped_is_the_complement():
    b = Builder()
    x = b.input("int", (5,), -9, 9)
    program = b.finish(b.to_int(b.threshold(x, np.zeros(5, np.int64)), "signs"))
    data = np.random.default_rng(0).integers(-9, 10, (20, 5)).astype(np.int8)
    assert (run_damaged(program, data, "activations", 1.0, 0)[0] == -execute(program, data)[-1]).all()


def test_half_of_one_bit_weights_leaves_nothing():
    """A network that copies its labels from its input is right always, and by chance when half of its weights flip."""
    b = Builder()
    x = b.input("bits", (200,))
    rng = np.random.default_rng(0)
    prototypes = rng.integers(0, 2, (10, 200))
    program = b.finish(b.xnor_linear(x, prototypes))
    y = rng.integers(0, 10, 400)
    data = prototypes[y].astype(np.uint8)
    points = fault_curve(program, data, y, "weights", [0.0, 0.1, 0.5], range(12))
    none, some, half = (row["mean"] for row in summarize_faults(points))
    assert none == 100 and some == 100 and 2 < half < 22
    assert all(point.flipped == round(point.rate * 2000) and point.bits == 2000 for point in points)


@pytest.mark.parametrize("copies", [1, 3, 5])
def test_a_vote_is_wrong_where_most_copies_are(copies):
    n, rate = 40001, 0.2
    bits = np.random.default_rng(1).integers(0, 2, n).astype(np.uint8)
    wrong = (flip_by_vote(bits, rate, np.random.default_rng(2), copies) != bits).mean()
    expected = {1: rate, 3: 3 * rate**2 - 2 * rate**3, 5: 10 * rate**3 - 15 * rate**4 + 6 * rate**5}[copies]
    assert abs(wrong - expected) < (5 * (expected / n) ** 0.5 if copies > 1 else 1 / n)


def test_copies_fill_a_budget_with_the_smallest_constants_first():
    copies = copies_within([10, 4, 6], 20 + 2 * 7)
    assert copies.tolist() == [1] * 10 + [3] * 4 + [3] * 3 + [1] * 3
    assert copies_within([10, 4, 6], 61).tolist() == [3] * 20  # the one bit left makes no vote
    assert set(copies_within([5], 26)) == {5} and set(copies_within([5], 25)) == {5}
    assert copies_within([5], 27).sum() == 27
    with pytest.raises(ValueError, match="do not fit"):
        copies_within([10], 9)


def test_each_bit_has_its_own_number_of_copies():
    n, rate = 60_000, 0.2
    copies = np.repeat([1, 3], n // 2)
    bits = np.random.default_rng(1).integers(0, 2, n).astype(np.uint8)
    wrong = flip_by_vote(bits, rate, np.random.default_rng(2), copies) != bits
    once, voted = wrong[: n // 2].mean(), wrong[n // 2 :].mean()
    assert abs(once - rate) < 5 * (rate / n) ** 0.5 and abs(voted - (3 * rate**2 - 2 * rate**3)) < 0.01
    program = little_program()
    sizes = stored_sizes(program)
    assert sizes == [30 * 12 * 4, 25 * 4, 9 * 25, 4 * 3 * 8]
    copies = copies_within(sizes, sum(sizes) + 2 * 100)
    assert damage(program, "weights", 0.0, 0, copies)[1:] == (0, sum(sizes))
    with pytest.raises(ValueError, match="odd number"):
        damage(program, "weights", 0.1, 0, copies + 1)


def test_crossings_are_where_straight_lines_meet():
    rates = [0.0, 0.1, 0.2, 0.3]
    assert crossings(rates, [90, 90, 80, 10], [100, 80, 80, 20]) == [(pytest.approx(0.05), True), (0.2, False)]
    ours, theirs = [90, 90, 80, 10], [100, 80, 70, 20]
    assert crossings(rates, ours, theirs) == [(pytest.approx(0.05), True), (pytest.approx(0.25), False)]
    assert crossings(rates, [1, 1, 1, 1], [1, 1, 1, 1]) == []


def test_votes_need_an_odd_number_of_stored_copies():
    with pytest.raises(ValueError, match="odd number"):
        damage(little_program(), "weights", 0.1, 0, copies=2)
    with pytest.raises(ValueError, match="not stored"):
        fault_curve(little_program(), inputs(), np.zeros(40), "activations", [0.1], [0], copies=3)


def test_errors_name_the_way_out():
    program, x = little_program(), inputs()
    with pytest.raises(ValueError, match="share of the bits"):
        damage(program, "weights", 1.1, 0)
    with pytest.raises(ValueError, match="choose one of weights"):
        damage(program, "weigths", 0.1, 0)
    b = Builder()
    plain = b.finish(b.clip(b.input("int", (3,), 0, 9), 0, 5))
    with pytest.raises(ValueError, match="stores no weights"):
        damage(plain, "weights", 0.1, 0)
    with pytest.raises(ValueError, match="makes no projections"):
        run_damaged(plain, np.zeros((2, 3), np.uint8), "projections", 0.1, 0)
    assert len(x)


def test_the_command_prints_a_table_and_writes_a_plot(tmp_path, capsys):
    rng = np.random.default_rng(0)
    b = Builder()
    x = b.input("int", (1, 8, 8), 0, 16)
    scores = b.int_linear(b.reshape(x, (64,)), rng.integers(0, 2, (10, 64)), "bit")
    b.finish(scores, {"data": "digits"}).save(tmp_path / "m.bw")
    call = ["faults", str(tmp_path / "m.bw"), "--rate", "0", "0.5", "--seeds", "2", "--samples", "50"]
    assert main([*call, "--out", str(tmp_path / "curve")]) == 0
    shown = capsys.readouterr().out
    assert "weights flipped, 50 test samples of digits" in shown and " 50%" in shown
    points = json.loads((tmp_path / "curve.json").read_text())["points"]
    assert [point["flipped"] for point in points] == [0, 0, 320, 320]
    assert (tmp_path / "curve.svg").read_text().startswith("<svg")
    assert main(["faults", str(tmp_path / "m.bw"), "--target", "bits"]) == 2


def test_damaged_marks_still_count_what_is_reached():
    """A number is cut at four marks; damaged ones lie in any order, and how many are reached is counted by hand."""
    b = Builder()
    marks = np.array([[-60, -20, 20, 60]])
    program = b.finish(b.digitize(b.input("int", (1,), -100, 100), marks))
    x = np.arange(-100, 101, dtype=np.int8)[:, None]
    for seed in range(8):
        damaged, flipped, _ = damage(program, "thresholds", 0.3, seed)
        found = damaged.ops[1].consts["t"]
        assert flipped and (damaged.run(x)[:, 0] == (x >= found).sum(1)).all()


def test_the_command_takes_a_run_folder_and_keeps_a_rate_in_a_name(tmp_path, capsys):
    b = Builder()
    x = b.input("int", (1, 8, 8), 0, 16)
    (tmp_path / "net-seed0").mkdir()
    scores = b.int_linear(b.reshape(x, (64,)), np.eye(10, 64, dtype=int), "bit")
    b.finish(scores, {"data": "digits"}).save(tmp_path / "net-seed0" / "model.bw")
    call = ["faults", str(tmp_path / "net-seed0"), "--seeds", "1", "--samples", "5"]
    for out, made in (("at-0.1", "at-0.1"), ("plot.svg", "plot")):
        assert main([*call, "--rate", "0.1", "--out", str(tmp_path / out)]) == 0
        assert json.loads((tmp_path / f"{made}.json").read_text())["program"] == "net-seed0"
        assert (tmp_path / f"{made}.svg").read_text().count("net-seed0") == 1
    capsys.readouterr()
    for wrong, words in (
        (["--rate", "0.1", "1.5"], "rate is 1.5"),
        (["--rate", "nan"], "rate is nan"),
        (["--seeds", "0"], "0 seeds"),
        (["--samples", "-5"], "samples is -5"),
        (["--copies", "-1"], "copies is -1"),
    ):
        assert main([*call, *wrong]) == 2
        said = capsys.readouterr()
        assert words in said.err and "accuracy" not in said.out  # before anything is measured


def test_a_plot_needs_points():
    text = svg_curves({"a & b": [(0, 90, 1), (50, 10, 2)]}, "title", "x", "y")
    assert "a &amp; b" in text and text.count("<polyline") == 1
    with pytest.raises(ValueError, match="no curve has a point"):
        svg_curves({}, "t", "x", "y")
