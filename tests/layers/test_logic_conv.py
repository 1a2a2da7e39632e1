"""Convolutions of logic gates in the native library against unfolded windows in float64; pooling in both layouts."""

import copy

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.layers import LogicConv2d, OrPool2d, native_gates  # noqa: E402

needs_library = pytest.mark.skipif(
    not native_gates.available(), reason="needs libbw_train: build native/ with cmake and install"
)
SHAPES = [
    dict(in_channels=4, out_channels=6, kernel_size=(2, 3), depth=4, stride=(1, 2), padding=(1, 0), groups=2),
    dict(in_channels=1, out_channels=5, kernel_size=3, depth=1, padding=1, pad_value=1),
    dict(in_channels=3, out_channels=7, kernel_size=3, depth=3, channels_per_tree=3, parametrization="table"),
]


def both(shape, batch, to_inputs, half=False, threads=1):
    """(result, gradients) of the library and of the same layer in float64."""
    torch.manual_seed(batch)
    layer = LogicConv2d(**shape, residual=False).train()
    exact, found = copy.deepcopy(layer).double(), []
    x = torch.rand(batch, shape["in_channels"], 7, 9)
    for model, numbers in ((layer, x), (exact, x.double())):
        leaf = numbers.clone().requires_grad_(to_inputs)
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        with torch.autocast("cpu", torch.bfloat16, enabled=half and model is layer):
            y = model(leaf)
        torch.manual_seed(0)
        y.backward(torch.randn(y.shape).to(y.dtype))
        torch.set_num_threads(before)
        found.append([y.detach(), model.tables.params.grad, *([leaf.grad] if to_inputs else [])])
    return zip(*found, strict=True)


@needs_library
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("batch, threads", [(0, 1), (1, 1), (16, 1), (17, 2), (33, 3), (100, 2)])
def test_windows_are_the_unfolded_image(shape, batch, threads):
    for mine, want in both(shape, batch, batch != 17, threads=threads):
        torch.testing.assert_close(mine.double(), want, rtol=1e-4, atol=2e-4)  # float32 sums of up to 5,000 numbers


@needs_library
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("batch", [1, 31, 32, 33])
def test_windows_in_halves(shape, batch):
    """As in a stack of dense layers: 2^-12 of 1 a value, 2^-9 of itself a gradient."""
    for mine, want in both(shape, batch, True, half=True):
        assert float((mine - want).norm()) <= 0.015 * float(want.norm())


@pytest.mark.parametrize("pool", [OrPool2d(2), OrPool2d(3, 2, 1)])
def test_pooling_is_the_same_in_both_layouts(pool):
    x, found = torch.rand(5, 3, 8, 6), []
    for rows in (x, x.permute(1, 2, 3, 0).contiguous().permute(3, 0, 1, 2)):
        leaf = rows.detach().requires_grad_()
        y = pool(leaf)
        y.backward(torch.arange(float(y.numel())).reshape(y.shape))
        found.append((y, leaf.grad))
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])
    assert found[1][0].permute(1, 2, 3, 0).is_contiguous()  # the next convolution reads it as it is


def test_a_window_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        LogicConv2d(1, 2, 5)(torch.rand(2, 1, 4, 9))
