"""Tuned codes: better on data, the same projections, other weight codes only, and exact on every backend."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from torch import nn  # noqa: E402

from bitwright.data import load_data  # noqa: E402
from bitwright.freeze import correct_offsets, freeze  # noqa: E402
from bitwright.freeze.tune_codes import _codes, _find_tail, _TailNet, tune_codes  # noqa: E402
from bitwright.ir import execute  # noqa: E402
from bitwright.layers import RASU, TASU, CosineLinear, Temperature  # noqa: E402


@pytest.fixture(scope="module")
def digits():
    return load_data("digits")


def net(activation):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), CosineLinear(64, 40, shift=-8.0, shift_unit=8.0), activation(), CosineLinear(40, 10, shift=0.1),
        Temperature(),
    ).eval()  # fmt: skip


@pytest.mark.parametrize("activation", [RASU, TASU])
@pytest.mark.parametrize("layers", [1, 2])
def test_training_codes_helps_and_changes_nothing_else(digits, activation, layers):
    program = freeze(net(activation), digits, hyperdimensions=[301, 255], projection="gaussian")
    x, y = digits.x_train, digits.y_train
    before = (program.predict(x) == y).mean()
    tuned = tune_codes(program, x, y, layers=layers, epochs=8, lr=1e-2, batch_size=32)
    after = (tuned.predict(x) == y).mean()
    assert before < 0.4 and after > 0.75, (before, after)  # an untrained network, its codes trained
    assert tuned.header["tuned_layers"] == layers and tuned.types == program.types
    for i, (old, new) in enumerate(zip(program.ops, tuned.ops)):
        same = all((old.consts[k] == new.consts[k]).all() for k in old.consts) and old.attrs == new.attrs
        assert same or i in _find_tail(program, layers).sums
    assert tuned.verify(x[:30]).ok


@pytest.mark.parametrize("activation", [RASU, TASU])
def test_the_trained_tail_computes_what_the_program_does(digits, activation):
    program = freeze(net(activation), digits, hyperdimensions=[301, 129], projection="hadamard")
    x = digits.x_train[:50]
    tail = _find_tail(program, 2)
    codes = _codes(program, tail.first, x)
    assert (codes.numpy() == execute(program, x, keep=True)[tail.first]).all()
    tail_net = _TailNet(program, tail, 2.0)
    with torch.no_grad():
        scores = tail_net(2.0 * codes.float() - 1) / tail_net.heat.exp()
    assert (scores.round().numpy() == program.run(x)).all()


@pytest.mark.parametrize("projection", ["orthogonal", "hadamard"])
@pytest.mark.parametrize("activation", [RASU, TASU])
def test_stored_rows_and_corrected_offsets_are_followed_too(digits, activation, projection):
    model, x = net(activation), digits.x_train[:60]
    program = freeze(model, digits, hyperdimensions=[95, 65], projection=projection)
    program = correct_offsets(program, model, x)
    assert sum(op.name == "add" for op in program.ops) == 2
    tail = _find_tail(program, 2)
    tail_net = _TailNet(program, tail, 2.0)
    with torch.no_grad():
        scores = tail_net(2.0 * _codes(program, tail.first, x).float() - 1) / tail_net.heat.exp()
    assert (scores.round().numpy() == program.run(x)).mean() > 0.99  # sums of 16-bit rows are rounded by float32
    tuned = tune_codes(program, digits.x_train, digits.y_train, layers=2, epochs=2, lr=1e-2, batch_size=32)
    assert (tuned.predict(x) == digits.y_train[:60]).mean() > (program.predict(x) == digits.y_train[:60]).mean()


def test_errors(digits):
    program = freeze(net(RASU), digits, hyperdimensions=65)
    with pytest.raises(ValueError, match="has 2 linear layers"):
        tune_codes(program, digits.x_train, digits.y_train, layers=3)
    for x, y in ((digits.x_train[:0], digits.y_train[:0]), (digits.x_train, digits.y_train[:9]),
                 (digits.x_train[:9], digits.y_train[:9] + 5)):  # fmt: skip
        with pytest.raises(ValueError, match="as many labels, 0 to 9, as samples"):
            tune_codes(program, x, y)
