"""Frozen logic networks against their hard models, bit for bit, and what a logic network refuses."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from torch import nn  # noqa: E402

from bitwright.data import InputSpec  # noqa: E402
from bitwright.freeze import FreezeError, agreement, freeze  # noqa: E402
from bitwright.ir import execute, from_bytes  # noqa: E402
from bitwright.layers import (  # noqa: E402
    BinaryLinear,
    GroupSum,
    LogicConv2d,
    LogicLinear,
    OrPool2d,
    Sign,
    Thermometer,
)
from bitwright.models import create_model  # noqa: E402


def scrambled(model: nn.Module) -> nn.Module:
    """All learned numbers drawn anew, so that every gate occurs."""
    torch.manual_seed(3)
    for parameter in model.parameters():
        parameter.data.normal_()
    return model.eval()


def marks(channels: int, *values: float) -> np.ndarray:
    return np.tile(np.array(values, np.float32), (channels, 1))


NETS = {
    "mlp": lambda: create_model("logic_mlp", shape=(1, 8, 8), widths=(150, 100, 90), seed=0),
    "mlp, 3 marks": lambda: create_model("logic_mlp", shape=(1, 8, 8), widths=(200, 60), thresholds=(60, 120, 180.5)),
    "learned marks": lambda: create_model(
        "logic_mlp", shape=(1, 8, 8), widths=(90, 60), thresholds=(60, 120, 180.5), threshold_width=16.0, seed=0
    ),
    "learned wires": lambda: create_model("logic_mlp", shape=(1, 8, 8), widths=(90, 60), wiring="learned"),
    "conv": lambda: create_model("logic_conv", shape=(1, 20, 20), channels=(4, 6), widths=(100, 50), first_kernel=5),
    "conv, learned taps": lambda: create_model(
        "logic_conv", shape=(1, 20, 20), channels=(4, 6), widths=(100, 50), conv_wiring="learned", wiring="learned"
    ),
    "tables of 2 to 6 inputs": lambda: nn.Sequential(
        Thermometer(marks(1, 100, 200), zero_one=True), nn.Flatten(), LogicLinear(128, 90, 3, "table"),
        LogicLinear(90, 70, 4, "walsh"), LogicLinear(70, 80, 5, "table", "random"), LogicLinear(80, 40, 6, "walsh"),
        GroupSum(4, 2.5),
    ),
    "trees of all depths": lambda: nn.Sequential(
        Thermometer(marks(1, 128), zero_one=True), LogicConv2d(1, 4, 3, depth=1, padding=1, pad_value=1),
        OrPool2d(3, 2, 1), LogicConv2d(4, 6, (2, 3), depth=4, stride=(1, 2), padding=(1, 0), groups=2),
        LogicConv2d(6, 5, 1, depth=2, k=3, parametrization="table", channels_per_tree=None), nn.Flatten(),
        LogicLinear(25, 20), GroupSum(2),
    ),
    "signs behind gates": lambda: nn.Sequential(
        Thermometer(marks(1, 128), zero_one=True), nn.Flatten(), LogicLinear(64, 40), BinaryLinear(40, 30),
        nn.BatchNorm1d(30), Sign(), BinaryLinear(30, 4),
    ),
}  # fmt: skip


def pixels(n: int, shape=(1, 8, 8)) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, *shape)).astype(np.uint8)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("batch", [0, 1, 513])
def test_programs_equal_their_hard_models(name, batch):
    model = scrambled(NETS[name]())
    shape = (1, 20, 20) if name.startswith("conv") else (1, 8, 8)
    x = pixels(min(batch, 65) if name.startswith("conv") else batch, shape)
    program = from_bytes((fresh := freeze(model, input=pixels(2, shape))).to_bytes())
    report = agreement(fresh, x)
    assert report.exact and report.ok
    assert (report.hidden_differing, report.scores_differing, report.twin_differing) == (0, 0, 0)
    if len(x):
        with torch.no_grad():
            scores = model(torch.from_numpy(x).float()).numpy() / fresh.frozen.score_scale
        assert (np.rint(scores) == execute(program, x)[-1]).all()
        assert report.hidden_compared > 50 * len(x)


def test_trained_nets_freeze_exactly_and_need_bits():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (400, 12)).astype(np.uint8)
    y = torch.from_numpy(((x[:, 2] | x[:, 7]) & x[:, 1]).astype(np.int64))
    torch.manual_seed(0)
    model = nn.Sequential(LogicLinear(12, 60), LogicLinear(60, 40), GroupSum(2, 2.0))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(torch.from_numpy(x).float()), y).backward()
        optimizer.step()
    model.eval()
    program = freeze(model, input=InputSpec("array", (12,), "uint8", 0, 1))
    with pytest.raises(FreezeError, match="reads bits of 0 and 1"):
        freeze(model, input=pixels(2, (12,)))
    report = agreement(program, x, y.numpy())
    assert report.ok and report.program_correct == report.model_correct > 300


REFUSED = {
    "reads bits of 0 and 1, its input is signs": lambda: nn.Sequential(
        nn.Flatten(), Thermometer(marks(64, 9)), LogicLinear(64, 4), GroupSum(2)
    ),
    "reads bits of 0 and 1, its input is int": lambda: nn.Sequential(nn.Flatten(), LogicLinear(64, 4), GroupSum(2)),
    "7 bits cannot form 2 equal groups": lambda: nn.Sequential(
        nn.Flatten(), Thermometer(marks(64, 9), zero_one=True), LogicLinear(64, 7), GroupSum(2)
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_no_logic_is_refused_by_name(message):
    with pytest.raises((FreezeError, ValueError), match=message):
        freeze(REFUSED[message]().eval(), input=pixels(1))


@pytest.mark.parametrize("name", ["mlp", "trees of all depths"])
def test_freezing_simplifies_unless_told_otherwise(name):
    model, x = scrambled(NETS[name]()), pixels(300)
    small, whole = freeze(model, input=x), freeze(model, input=x, simplify=False)
    gates = [summary.logic["gates"] for summary in (small.summary(), whole.summary())]
    logic = small.summary().logic
    assert gates[0] < gates[1] == logic["trained_gates"] and "trained_gates" not in whole.summary().logic
    assert "gates trained" in str(small.summary())
    assert np.array_equal(execute(small, x)[-1], execute(whole, x)[-1])
    one, other = agreement(small, x[:40]), agreement(whole, x[:40])
    assert one.ok and other.ok and one.hidden_compared == other.hidden_compared > 0


def test_passes_asked_for_by_name():
    pytest.importorskip("aigverse", reason="aigverse is not installed: pip install 'bitwright[aig]'")
    model, x = scrambled(NETS["mlp"]()), pixels(300)
    small, smaller = freeze(model, input=x), freeze(model, input=x, passes=["rewrite"])
    logic = smaller.summary().logic
    assert small.summary().logic["gates"] - logic["gates"] == logic["rewritten"] > 0
    assert np.array_equal(execute(small, x)[-1], execute(smaller, x)[-1]) and agreement(smaller, x[:40]).ok
    assert f"{logic['rewritten']:,} rewritten" in str(smaller.summary())
    with pytest.raises(ValueError, match="no pass 'polish'; choose among simplify, rewrite"):
        freeze(model, input=x, passes=["polish"])


def test_gates_never_become_more():
    """Each bit that signs read keeps a gate of its own: simplified, this net would have more of them."""
    model = scrambled(NETS["signs behind gates"]())
    program = freeze(model, input=pixels(2))
    assert program.summary().logic["gates"] == 40 and program.frozen.whole is None
