"""Frozen cosine networks: Program against an emulation from the formula, every kernel against the interpreter."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from emulation import emulate, hadamard_matrix, rows_of  # noqa: E402
from torch import nn  # noqa: E402

from bitwright.freeze import FreezeError, agreement, freeze  # noqa: E402
from bitwright.freeze.projection import PROJECTIONS, Projection  # noqa: E402
from bitwright.ir import load  # noqa: E402
from bitwright.layers import RASU, TASU, CosineConv2d, CosineLinear, Temperature  # noqa: E402
from bitwright.models import create_model  # noqa: E402

DIMENSIONS = [255, 129, 130, 300]


def small_gnet(activation: str, **options):
    model = create_model("gnet", seed=1, shape=(1, 9, 9), channels=(4, 5), kernels=(3, 3), hidden=(12,),
                         activation=activation, **options).eval()  # fmt: skip
    for i, module in enumerate(model):
        if isinstance(module, CosineConv2d | CosineLinear) and module.shift_unit == 1:
            module.shift.data.fill_((0.13, -0.07)[i % 2])
    return model


def pixels(n: int = 12) -> np.ndarray:
    x = np.random.default_rng(n).integers(0, 256, (n, 1, 9, 9)).astype(np.uint8)
    x[: n // 3, :, :5] = 0
    x[0] = 0  # a constant image: all patches alike
    return x


@pytest.mark.parametrize("activation", ["rasu", "tasu"])
@pytest.mark.parametrize("kind", PROJECTIONS)
def test_program_is_the_emulation_and_every_kernel_the_interpreter(activation, kind):
    model, x = small_gnet(activation), pixels()
    program = freeze(model, x, hyperdimensions=DIMENSIONS, projection=kind, seed=7)
    rows = None
    if kind == "orthogonal":  # stored, so the matrix is read from the Program
        stored = [op.consts["w"] for op in program.ops if op.weight_dtype == "i16"]

        def read(kind, n, p, seed, layer, rounds):
            return torch.from_numpy(stored[layer].reshape(n, p).astype(np.float64))

        rows = read

    want = emulate(model, x, DIMENSIONS, kind, seed=7, rows=rows).numpy()
    got = program.run(x, backend="interpreter")
    assert (got != want).sum() == 0 and len(np.unique(got)) > 20
    assert program.verify(x).ok
    report = agreement(program, x)
    assert report.ok and not report.exact and report.twin_compared > 10_000


@pytest.mark.parametrize("rounds", [1, 3])
def test_other_rounds_and_windows(rounds, tmp_path):
    torch.manual_seed(rounds)
    model = nn.Sequential(
        CosineConv2d(2, 6, (3, 2), stride=(2, 1), padding=(1, 0), shift=-40.0, shift_unit=100.0), RASU(),
        CosineConv2d(6, 5, 2, padding=1, shift=0.2), TASU(), nn.MaxPool2d(2), nn.Flatten(),
        CosineLinear(5 * 2 * 3, 4, shift=0.3), Temperature(),
    ).eval()  # fmt: skip
    x = np.random.default_rng(0).integers(0, 256, (7, 2, 6, 6)).astype(np.uint8)
    program = freeze(model, x, hyperdimensions=[70, 100, 64], projection="hadamard", rounds=rounds, seed=2**63 + 5)
    got = program.run(x)
    assert (got == emulate(model, x, [70, 100, 64], "hadamard", 2**63 + 5, rounds).numpy()).all()
    program.save(tmp_path / "m.bw")
    assert (load(tmp_path / "m.bw").run(x) == got).all()
    assert program.header["embedding"]["rounds"] == rounds


@pytest.mark.parametrize("activation", ["rasu", "tasu"])
def test_a_net_of_signals(activation):
    options = {"shape": (2, 1, 21), "channels": (4, 5), "kernels": (5, 3), "hidden": (6,), "classes": 3}
    model = create_model("gnet_1d", seed=2, activation=activation, **options).eval()
    x = np.random.default_rng(0).integers(0, 256, (9, 2, 1, 21)).astype(np.uint8)
    program = freeze(model, x, hyperdimensions=[65, 100, 64, 77], seed=3)
    assert (program.run(x) == emulate(model, x, [65, 100, 64, 77], "hadamard", 3, 2).numpy()).all()
    assert program.verify(x).ok


def test_scores_stand_for_the_models_scores():
    model, x = small_gnet("rasu"), pixels(40)
    program = freeze(model, x, hyperdimensions=16383, projection="gaussian")
    with torch.no_grad():
        want = model(torch.from_numpy(x).float()).numpy()
    got = program.run(x) * program.frozen.score_scale
    spread = float(model.temperature.log_factor.detach().exp()) / 16383**0.5
    assert np.sqrt(np.mean((got - want) ** 2)) < 3 * spread  # own noise of the head, and what comes through the trunk


def test_streams_differ_between_layers_and_seeds_and_come_from_the_models_wish():
    model, x = small_gnet("tasu", hyperdimensions=100, projection="rademacher"), pixels()
    program = freeze(model, x)
    projects = [op for op in program.ops if op.name == "project"]
    assert [op.attrs["layer"] for op in projects] == [0, 1, 2, 3] and {op.attrs["n_out"] for op in projects} == {100}
    assert program.header["embedding"] == {"hyperdimensions": 100, "projection": "rademacher", "seed": 0}
    other = freeze(model, x, seed=1)
    assert (other.run(x) != program.run(x)).any()
    named = freeze(model, x, hyperdimensions={"conv1": 65, "conv2": 66, "linear3": 67, "head": 68})
    assert [op.attrs["n_out"] for op in named.ops if op.name == "project"] == [65, 66, 67, 68]


@pytest.mark.parametrize("p, n, rounds", [(1, 3, 1), (2, 2, 2), (5, 20, 1), (37, 130, 2), (64, 64, 3)])
def test_two_small_matrices_are_the_whole_transform(p, n, rounds):
    want = rows_of("hadamard", n, p, 3, 1, rounds)
    assert (Projection("hadamard", n, p, 3, 1, rounds).matrix() == want).all()
    assert (hadamard_matrix(4) == torch.tensor([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])).all()


def test_a_row_of_zeros_gives_plus_one():
    projection = Projection("hadamard", 200, 3, 3, 1, 2)
    rows, w = projection.matrix(), torch.randn(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    zero = (rows == 0).all(1)
    assert zero.sum() > 5
    codes = projection.codes(w)
    assert codes[:, zero].all() and (codes == (w @ rows.T >= 0)).all()


def test_orthogonal_rows_are_orthogonal_in_blocks():
    rows = Projection("orthogonal", 25, 10, 3, 1).matrix()
    lengths = rows.norm(dim=1, keepdim=True)
    gram = (rows[:10] / lengths[:10]) @ (rows[:10] / lengths[:10]).T
    assert (gram - torch.eye(10)).abs().max() < 2e-3  # int16 entries of 2,048 root mean square
    assert (rows == rows.round()).all() and rows.abs().max() <= 32767
    assert (rows[:5] @ rows[10:15].T).abs().max() > 1e5  # blocks are independent


@pytest.mark.parametrize(
    "options, words",
    [
        ({}, "hyperdimensions=2047"),
        ({"hyperdimensions": [100]}, "no number for cosine layer 1, '1'"),
        ({"hyperdimensions": {"1": 7}}, "no number for cosine layer 0, '0'"),
        ({"hyperdimensions": 5, "projection": "walsh"}, "no projection 'walsh'"),
        ({"hyperdimensions": 5, "rounds": 9}, "1 to 8"),
        ({"hyperdimensions": 5, "activation_bits": 1}, "2 to 16"),
        ({"hyperdimensions": 0}, "0 is no length"),
        ({"hyperdimensions": "2047"}, "'2047' is no length"),
        ({"hyperdimensions": [100, 20.5]}, "20.5 is no length"),
        ({"hyperdimensions": {"0": 7, "1": True}}, "True is no length"),
        ({"hyperdimensions": [7, 8, 9]}, "give 3 numbers, cosine layers: 2"),
        ({"hyperdimensions": {"0": 7, "1": 8, "head": 9}}, "name 'head'; cosine layers: 0, 1"),
        ({"hyperdimensions": 5, "seed": -1}, "seed is -1"),
        ({"hyperdimensions": 5, "seed": 1 << 64}, "2\\^64 - 1"),
    ],
)
def test_errors_say_the_way_out(options, words):
    model = nn.Sequential(CosineLinear(3, 4), CosineLinear(4, 2))
    with pytest.raises((ValueError, FreezeError), match=words):
        freeze(model, np.zeros((1, 3), np.uint8), **options)


def test_lengths_of_numpy_are_lengths(tmp_path):
    model, x = nn.Sequential(CosineLinear(3, 4), CosineLinear(4, 2)), np.zeros((1, 3), np.uint8)
    program = freeze(model, x, hyperdimensions=np.array([7, 9]))
    assert program.header["embedding"]["hyperdimensions"] == [7, 9]
    freeze(model, x, hyperdimensions={"0": np.int64(7), "1": 9}).save(tmp_path / "m.bw")
    assert load(tmp_path / "m.bw").header["embedding"]["hyperdimensions"] == {"0": 7, "1": 9}


def test_a_border_that_a_bit_cannot_say_is_an_error():
    model = nn.Sequential(TASU(), CosineConv2d(1, 2, 3, padding=1, pad_value=0.0), nn.Flatten())
    with pytest.raises(FreezeError, match="use -1 or 1 on signs"):
        freeze(model, np.zeros((1, 1, 4, 4), np.uint8), hyperdimensions=9)
