"""The limit model against its formula with rounded weights, against long codes, and where it does not exist."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from test_embedding import pixels, small_gnet  # noqa: E402

from bitwright.freeze import FreezeError, agreement, freeze  # noqa: E402


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_program_is_the_formula_with_rounded_weights(bits):
    model, x = small_gnet("tasu"), pixels(30)
    program = freeze(model, x, limit_bits=bits)
    top = 2 ** (bits - 1) - 1
    with torch.no_grad():
        for layer in (model.conv1, model.conv2, model.linear3, model.head):
            largest = layer.weight.flatten(1).abs().amax(1).reshape(-1, *[1] * (layer.weight.dim() - 1))
            layer.weight.copy_((layer.weight.double() / largest.double() * top).round() / top)
        want = model(torch.from_numpy(x).float()).numpy()
    got = program.run(x)
    assert (got.argmax(1) == want.argmax(1)).mean() >= 0.93  # the head is rounded to the grid
    assert agreement(program, x).twin_differing == 0 and program.verify(x).ok
    assert {op.weight_dtype for op in program.ops if "w" in op.consts} == {f"i{bits}"}
    assert program.header["embedding"] == {"limit": True, "weight_bits": bits}


def test_long_codes_come_near_it():
    model, x = small_gnet("tasu"), pixels(60)
    limit = freeze(model, x, limit_bits=16).predict(x)
    near = [(freeze(model, x, hyperdimensions=n, projection="gaussian").predict(x) == limit).mean() for n in (63, 8191)]
    assert near[1] > 0.6 and near[1] > near[0] + 0.1, near  # untrained: the classes lie close together


def test_it_does_not_exist_behind_rasu():
    with pytest.raises(FreezeError, match="for TASU networks"):
        freeze(small_gnet("rasu"), pixels(), limit_bits=4)
    with pytest.raises(ValueError, match="4, 8, 16"):
        freeze(small_gnet("tasu"), pixels(), limit_bits=5)
