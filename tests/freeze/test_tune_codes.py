"""Trained codes: better on data, the same projections, other weight codes only, and exact on every backend."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from small_gnets import conv_net, linear_net, only_codes_differ  # noqa: E402
from torch import nn  # noqa: E402

from bitwright.bits.generator import gaussian_rows  # noqa: E402
from bitwright.data import load_data  # noqa: E402
from bitwright.freeze import correct_offsets, freeze  # noqa: E402
from bitwright.freeze import tail as tail_module  # noqa: E402
from bitwright.freeze.tail import TailNet, find_tail, stored_values  # noqa: E402
from bitwright.freeze.tail_steps import step_of, weight_signs  # noqa: E402
from bitwright.freeze.tune_codes import scatter, tune_codes  # noqa: E402
from bitwright.ir import Builder, ProgramError, execute  # noqa: E402
from bitwright.layers import RASU, TASU, CosineConv2d, CosineLinear, Temperature  # noqa: E402


@pytest.fixture(scope="module")
def digits():
    return load_data("digits")


@pytest.mark.parametrize("projection", ["hadamard", "gaussian", "rademacher", "orthogonal"])
@pytest.mark.parametrize("activation", ["rasu", "tasu"])
def test_the_tail_computes_every_value_of_the_program(digits, activation, projection):
    """From each layer on, before training: the Program's own integers, operation by operation."""
    model, x = conv_net(activation), digits.x_train[:9]
    program = freeze(model, digits, hyperdimensions=[95, 301, 129, 65], projection=projection)
    corrected = correct_offsets(program, model, digits.x_train[:40])
    for each in (program, corrected):
        wanted = execute(each, x, keep=True)
        for layers in (1, 2, 3, 4):
            tail = find_tail(each, layers, "test")
            tail_net, stored = TailNet(each, tail, weight_signs), stored_values(each, tail.start, x)
            assert (stored.numpy() == wanted[tail.start]).all() and stored.dtype == torch.uint8
            for number, value in tail_net.values(stored).items():
                bits = each.types[number].kind == "bits"
                seen = (value + 1) / 2 if bits else value
                assert (seen.detach().numpy() == wanted[number]).all(), (layers, number, each.ops[number].name)
            with torch.no_grad():
                scores = tail_net(stored) / tail_net.heat.exp()
            assert (scores.argmax(1).numpy() == each.predict(x)).all() and np.allclose(scores, each.run(x))
    assert find_tail(program, 4, "test").start == 0 and program.types[find_tail(program, 3, "test").start].shape == (
        6, 4, 4,
    )  # fmt: skip


@pytest.mark.parametrize("activation", [RASU, TASU])
@pytest.mark.parametrize("layers", [1, 2])
def test_training_codes_helps_and_changes_nothing_else(digits, activation, layers):
    program = freeze(linear_net(activation), digits, hyperdimensions=[301, 255], projection="gaussian")
    x, y = digits.x_train[:400], digits.y_train[:400]
    before = (program.predict(x) == y).mean()
    seen = []
    tuned = tune_codes(program, x, y, layers, 8, 1e-2, batch_size=32, progress=lambda *said: seen.append(said))
    after = (tuned.predict(x) == y).mean()
    assert before < 0.4 and after > 0.75, (before, after)  # an untrained network, its codes trained
    assert only_codes_differ(program, tuned, layers) and tuned.verify(x[:30]).ok
    assert tuned.header["tuned_layers"] == layers
    assert [epoch for epoch, _ in seen] == [*range(8)] and seen[0][1] > seen[7][1]


@pytest.mark.parametrize("activation", ["rasu", "tasu"])
def test_convolutions_are_trained_too(digits, activation, monkeypatch):
    program = freeze(conv_net(activation), digits, hyperdimensions=[63, 95, 129, 65])
    x, y = digits.x_train[:200], digits.y_train[:200]
    before = (program.predict(x) == y).mean()
    tuned = tune_codes(program, x, y, layers=4, epochs=7, lr=5e-3, batch_size=20)
    assert (tuned.predict(x) == y).mean() > before + 0.05
    assert only_codes_differ(program, tuned, 4) and tuned.verify(x[:10]).ok
    monkeypatch.setattr(tail_module, "BLOCK_VALUES", 7 * sum(t.n_values for t in program.types))
    assert TailNet(program, find_tail(program, 4, "test"), weight_signs).block == 7


def test_gradients_of_blocks_add_up_to_the_batch(digits):
    program = freeze(conv_net("tasu"), digits, hyperdimensions=63)
    tail, x = find_tail(program, 1, "test"), digits.x_train[:10]
    stored, labels = stored_values(program, tail.start, x), torch.from_numpy(digits.y_train[:10]).long()
    grads = []
    for blocks in ([10], [3, 7]):
        tail_net = TailNet(program, tail, weight_signs)
        for part in torch.arange(10).split(blocks):
            loss = torch.nn.functional.cross_entropy(tail_net(stored[part]), labels[part], reduction="sum")
            loss.backward()
        grads.append(tail_net.latent[0].grad)
    assert torch.allclose(grads[0], grads[1], atol=1e-5) and grads[0].abs().max() > 0


def test_latent_numbers_start_at_their_codes_and_at_random_distances(digits):
    program = freeze(linear_net(TASU), digits, hyperdimensions=[65, 31])
    tail_net = TailNet(program, find_tail(program, 2, "test"), weight_signs)
    scatter(tail_net.latent, seed=1)
    for number, codes in tail_net.codes().items():
        assert (codes == program.ops[number].consts["w"]).all()
    sizes = tail_net.latent[0].detach().abs().numpy()
    assert 0 < sizes.min() and sizes.max() <= 0.2 and abs(sizes.mean() - 0.1) < 0.01 and abs(sizes.std() - 0.058) < 0.01


def test_errors(digits):
    program = freeze(conv_net("rasu"), digits, hyperdimensions=65)
    for layers in (0, 5):
        with pytest.raises(ValueError, match=f"tune_codes: layers is {layers}; this Program has 4 embedded layers"):
            tune_codes(program, digits.x_train, digits.y_train, layers=layers)
    for x, y in ((digits.x_train[:0], digits.y_train[:0]), (digits.x_train, digits.y_train[:9]),
                 (digits.x_train[:9], digits.y_train[:9] + 5)):  # fmt: skip
        with pytest.raises(ValueError, match="tune_codes: .* as many labels, 0 to 9, as samples"):
            tune_codes(program, x, y)
    b = Builder()
    plain = b.finish(b.xnor_linear(b.input("bits", (5,)), np.ones((3, 5), np.uint8)))
    with pytest.raises(ValueError, match="no embedded layer; freeze a G-Net"):
        tune_codes(plain, np.zeros((2, 5), np.uint8), np.zeros(2, int))


def test_what_has_no_gradient_is_named(digits):
    b = Builder()
    codes = b.project(b.input("int", (5,), 0, 9), 33, "gaussian", 1, layer=0)
    bits = b.threshold(b.xnor_linear(codes, np.ones((4, 33), np.uint8)), np.zeros(4, np.int64))
    gates = b.lut(bits, np.array([[0, 1], [1, 2], [2, 3]]), np.array([1, 6, 8], np.uint64))
    program = b.finish(b.xnor_linear(b.project(gates, 21, "gaussian", 1, layer=1), np.ones((2, 21), np.uint8)))
    x, y = np.zeros((4, 5), np.uint8), np.array([0, 1, 0, 1])
    assert tune_codes(program, x, y, epochs=1).types == program.types
    with pytest.raises(ProgramError, match="lut .* no gradient here; train fewer layers"):
        tune_codes(program, x, y, layers=2)


def test_conv_layers_of_other_shapes(digits):
    """Strides, dilation, a pool with its own numbers and no padding."""
    torch.manual_seed(1)
    model = nn.Sequential(
        CosineConv2d(1, 5, (2, 3), (1, 2), (0, 1), (2, 1), pool=(2, 1), shift=-8.0, shift_unit=8.0), RASU(),
        nn.Flatten(), CosineLinear(5 * 3 * 4, 10), Temperature(),
    ).eval()  # fmt: skip
    program = freeze(model, digits, hyperdimensions=[127, 63], projection="hadamard", rounds=1)
    x = digits.x_train[:7]
    tail, wanted = find_tail(program, 2, "test"), execute(program, x, keep=True)
    for number, value in TailNet(program, tail, weight_signs).values(stored_values(program, tail.start, x)).items():
        seen = (value + 1) / 2 if program.types[number].kind == "bits" else value
        assert (seen.detach().numpy() == wanted[number]).all(), number


def test_sums_beyond_float32_are_exact():
    """Thresholds at the very sum, and one above it, of sums of some 2^40."""
    rng = np.random.default_rng(0)
    x, rows = rng.integers(-(1 << 20), 1 << 20, (1, 40)), rng.integers(-32767, 32767, (60, 40))
    odd = np.arange(60) % 2
    b = Builder()
    given = b.input("int", (40,), -(1 << 20), 1 << 20)
    stored = b.threshold(b.int_linear(given, rows, "i16"), rows @ x[0] + odd)
    seeded = b.project(given, 60, "gaussian", 1, layer=0, t=gaussian_rows(1, 0, 60, 40).astype(np.int64) @ x[0] + odd)
    turned = b.project(given, 60, "hadamard", 1, layer=0, rounds=4, t=None)
    program = b.finish(b.xnor_linear(b.concat([stored, seeded, turned]), np.ones((2, 180), np.uint8)))
    numbers = torch.from_numpy(x).double()
    sums = step_of(program, stored.number - 1, 2.0)(numbers)
    for seen in (step_of(program, stored.number, 2.0)(sums), step_of(program, seeded.number, 2.0)(numbers)):
        assert (seen.numpy()[0] == 1 - 2 * odd).all()
    wanted = 2.0 * execute(program, x, keep=True)[turned.number] - 1
    assert (step_of(program, turned.number, 2.0)(numbers).numpy() == wanted).all()
