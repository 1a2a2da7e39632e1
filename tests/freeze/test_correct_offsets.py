"""Offsets of embedded sums: channel means come to the float network's, nothing else changes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from test_embedding import pixels, small_gnet  # noqa: E402
from torch import nn  # noqa: E402

from bitwright.freeze import correct_offsets, freeze  # noqa: E402
from bitwright.ir import Builder, ProgramError, execute  # noqa: E402
from bitwright.layers import TASU, CosineConv2d, CosineLinear  # noqa: E402


def channel_means(program, x, name):
    """Means of the values made by operations of that name, one array each."""
    values = execute(program, x, keep=True)
    made = [i for i, op in enumerate(program.ops) if op.name == name]
    return [np.asarray(values[i], np.float64).mean((0, *range(2, values[i].ndim))) for i in made]


def float_means(model, x):
    seen = []
    layers = [model.conv1, model.conv2, model.linear3, model.head]
    hooks = [layer.register_forward_hook(lambda _, __, out: seen.append(out.numpy())) for layer in layers]
    with torch.no_grad():
        model.eval()(torch.from_numpy(x).float())
    for hook in hooks:
        hook.remove()
    return [out.mean((0, *range(2, out.ndim))) for out in seen]


@pytest.mark.parametrize("projection", ["gaussian", "orthogonal"])
@pytest.mark.parametrize("activation", ["rasu", "tasu"])
def test_means_of_every_layer_are_the_models(activation, projection):
    model, x, n = small_gnet(activation), pixels(30), 127
    program = freeze(model, x, hyperdimensions=n, projection=projection)
    corrected = correct_offsets(program, model, x)
    for got, want in zip(channel_means(corrected, x, "add"), float_means(model, x), strict=True):
        assert np.abs(got - n * want).max() <= 0.5 + 1e-3  # offsets are integers
    assert [op.name for op in corrected.ops if op.name != "add"] == [op.name for op in program.ops]
    for op, old in zip([op for op in corrected.ops if op.name != "add"], program.ops, strict=True):
        assert all((op.consts[key] == old.consts[key]).all() for key in old.consts)
    assert corrected.verify(x).ok and corrected.header["corrected_samples"] == 30


@pytest.mark.parametrize("trained, n, expected", [(4.0, 15, 15), (64.0, 15, 64)])
def test_means_are_those_under_the_noise_of_the_code_but_no_more_than_in_training(trained, n, expected):
    """Noise lifts what comes out of a max-pool over four places: of 4, 15 and 64 signs by amounts far apart."""
    model, x = small_gnet("rasu", train_dimensions=trained), pixels(60)
    corrected = correct_offsets(freeze(model, x, hyperdimensions=n), model, x, draws=20)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        z = 2 / np.pi * torch.asin(model.conv1.cosines(torch.from_numpy(x).float()).repeat(20, 1, 1, 1))
        normal = torch.randn(z.shape, generator=generator)
        want = {
            m: nn.functional.max_pool2d(z + ((1 - z * z) / m).sqrt() * normal, 2).mean((0, 2, 3)).numpy()
            for m in (4, 15, 64)
        }
    got = channel_means(corrected, x, "add")[0] / n
    apart = {m: np.abs(got - mean).max() for m, mean in want.items()}
    assert apart[expected] < 0.5 / n + 0.02 and min(apart, key=lambda m: apart[m]) == expected, apart
    torch.manual_seed(1)
    assert correct_offsets(freeze(model, x, hyperdimensions=n), model, x, draws=20).to_bytes() == corrected.to_bytes()


def test_a_pool_that_is_no_part_of_the_layer_stays_behind_the_offsets():
    model, x, n = nn.Sequential(), pixels(30), 129
    model.conv1 = CosineConv2d(1, 4, 3, shift=-127.5, shift_unit=127.5)
    model.act, model.pool, model.flatten = TASU(), nn.MaxPool2d(2), nn.Flatten()
    model.head = CosineLinear(36, 3)
    corrected = correct_offsets(freeze(model.eval(), x, hyperdimensions=n), model, x)
    with torch.no_grad():
        want = model.conv1(torch.from_numpy(x).float()).mean((0, 2, 3)).numpy()
    assert np.abs(channel_means(corrected, x, "add")[0] - n * want).max() <= 0.5 + 1e-3


def test_the_model_is_left_as_it_was():
    model, x = small_gnet("rasu"), pixels(8)
    program = freeze(model, x, hyperdimensions=63)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.train()
    correct_offsets(program, model, x)
    assert model.training and all((before[key] == value).all() for key, value in model.state_dict().items())


def test_the_model_is_left_as_it_was_when_it_raises():
    model, x = small_gnet("rasu", train_dimensions=64.0), pixels(8)
    program = freeze(model, x, hyperdimensions=63)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    broken = model.head.register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        correct_offsets(program, model.train(), x)
    broken.remove()
    assert model.training and all(layer.training for layer in model.modules())
    assert all((before[key] == value).all() for key, value in model.state_dict().items())
    assert not any(layer._forward_hooks for layer in model.modules())


def test_errors_name_the_way_out():
    model, x = small_gnet("rasu"), pixels(8)
    program = freeze(model, x, hyperdimensions=63)
    with pytest.raises(ValueError, match="a few hundred"):
        correct_offsets(program, model, x[:0])
    b = Builder()
    other = b.finish(b.int_linear(b.input("int", (4,), 0, 9), np.ones((2, 4), np.int64), "i8"))
    with pytest.raises(ProgramError, match="other layers"):
        correct_offsets(other, model, x)
