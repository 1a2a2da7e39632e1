"""The limit model against its formula with rounded weights, against long codes, and where it does not exist."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from test_embedding import pixels, small_gnet  # noqa: E402

from bitwright.freeze import FreezeError, agreement, freeze  # noqa: E402


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_program_is_the_formula_with_rounded_weights(bits):
    model, x = small_gnet("tasu"), pixels(30)
    program = freeze(model, x, limit_bits=bits)
    with torch.no_grad():
        for layer, op in zip(
            (model.conv1, model.conv2, model.linear3, model.head), [op for op in program.ops if "w" in op.consts]
        ):
            rows = torch.from_numpy(op.consts["w"].astype("float64")).reshape(layer.weight.shape)
            angles = torch.cosine_similarity(rows.flatten(1), layer.weight.double().flatten(1))
            assert angles.min() > {4: 0.98, 8: 0.9999, 16: 0.9999999}[bits]
            layer.weight.copy_(rows)
        want = model(torch.from_numpy(x).float()).numpy()
    got = program.run(x)
    assert (got.argmax(1) == want.argmax(1)).mean() >= 0.93  # the head is rounded to the grid
    assert agreement(program, x).twin_differing == 0 and program.verify(x).ok
    assert {op.weight_dtype for op in program.ops if "w" in op.consts} == {f"i{bits}"}
    assert program.header["embedding"] == {"limit": True, "weight_bits": bits}


def test_scores_of_a_large_head_are_not_cut():
    model, x = small_gnet("tasu"), pixels(40)
    with torch.no_grad():
        model.temperature.log_factor.fill_(3.5)  # e^3.5 = 33 as trained ones
    program = freeze(model, x, limit_bits=16)
    scores, last = program.run(x), program.ops[-2]
    assert last.name != "clip" or (last.attrs["lo"] < scores.min() and scores.max() < last.attrs["hi"])


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
    with pytest.raises(ValueError, match="the limit has no codes"):
        freeze(small_gnet("tasu"), pixels(), limit_bits=4, hyperdimensions=100)
