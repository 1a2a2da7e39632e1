"""G-Net and its rivals: shapes, gradients everywhere, one topology, errors."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from bitwright.layers import BinaryConv2d, BinaryLinear, CosineConv2d, CosineLinear, EmbeddingNoise  # noqa: E402
from bitwright.models import create_model  # noqa: E402

OPTIONS = {"shape": (2, 9, 8), "channels": (4, 6), "kernels": (3, 5), "hidden": (11,), "classes": 7}
NETS = {
    "rasu": ("gnet", {"dropout2d": 0.2}),
    "tasu": ("gnet", {"activation": "tasu", "train_dimensions": 64, "train_dimensions_end": 128}),
    "cnn": ("gnet_cnn", {}),
    "sign": ("gnet_sign", {}),
}


@pytest.mark.parametrize("name", NETS)
def test_scores_have_a_row_an_example_and_training_reaches_every_parameter(name):
    model = create_model(NETS[name][0], seed=0, **OPTIONS, **NETS[name][1])
    x = torch.randint(0, 256, (5, 2, 9, 8)).float()
    scores = model(x)
    assert scores.shape == (5, 7)
    scores.square().sum().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), key
    assert model.eval()(x).shape == (5, 7)


@pytest.mark.parametrize("name", ["gnet", "gnet_1d"])
def test_each_layer_may_be_trained_for_its_own_length(name):
    options = {"channels": (4,), "kernels": (3,), "hidden": (5,)}
    model = create_model(name, train_dimensions=(64, 0, 256), train_dimensions_end=(128, 0, 256), **options)
    noises = [m for m in model.modules() if isinstance(m, EmbeddingNoise)]
    assert [(noise.start, noise.end) for noise in noises] == [(64, 128), (0, 0), (256, 256)]
    assert len(set(map(id, noises))) == 3


def test_all_have_one_topology():
    kinds = (CosineConv2d, CosineLinear, BinaryConv2d, BinaryLinear, torch.nn.Conv2d, torch.nn.Linear)
    shapes = [
        [tuple(m.weight.shape) for m in create_model(name, **OPTIONS).modules() if isinstance(m, kinds)]
        for name in ("gnet", "gnet_cnn", "gnet_sign")
    ]
    assert shapes[0] == shapes[1] == shapes[2] == [(4, 2, 3, 3), (6, 4, 5, 5), (11, 24), (7, 11)]


@pytest.mark.parametrize("name, options", [("gnet", OPTIONS), ("gnet", {"hidden": (5,), "channels": (), "kernels": ()}),
                                           ("gnet_1d", {})])  # fmt: skip
def test_the_first_layer_alone_looks_from_the_middle_of_the_span(name, options):
    layers = [m for m in create_model(name, span=16, **options) if isinstance(m, CosineConv2d | CosineLinear)]
    assert [float(layer.input_shift().detach()) for layer in layers] == [-8.0] + [0.0] * (len(layers) - 1)
    with pytest.raises(ValueError, match="shift_unit must be positive"):
        create_model(name, span=0, **options)


@pytest.mark.parametrize("options, words", [({"activation": "relu"}, "rasu, tasu"), ({"kernels": (3, 4)}, "odd kernel"),
                                            ({"channels": (3,)}, "one odd kernel each"),
                                            ({"train_dimensions": (64, 32)}, "the 4 cosine layers")])  # fmt: skip
def test_errors(options, words):
    with pytest.raises(ValueError, match=words):
        create_model("gnet", **options)


def test_signals_are_images_of_height_one():
    """The same net as torch's own one-dimensional operations on the same numbers."""
    options = {"shape": (2, 1, 21), "channels": (4, 5), "kernels": (5, 3), "hidden": (6,), "classes": 3}
    model = create_model("gnet_1d", seed=0, **options).eval()
    x = torch.randint(0, 256, (4, 2, 1, 21)).float()
    value = x[:, :, 0]
    for layer, act, pad in ((model.conv1, model.act1, 128.0), (model.conv2, model.act2, 0.0)):
        w, shift = layer.weight[:, :, 0], float(layer.input_shift().detach())
        k = w.shape[-1]
        padded = torch.nn.functional.pad(value, (k // 2, k // 2), value=pad) + shift
        windows = padded.unfold(-1, k, 1)  # batch, channels, places, k
        dots = torch.einsum("bcpk,ock->bop", windows, w) / w.flatten(1).norm(dim=1).view(-1, 1)
        z = 2 / torch.pi * torch.asin(dots / windows.square().sum((1, 3)).sqrt()[:, None])
        value = act(torch.nn.functional.max_pool1d(z, 2))
    assert value.shape == (4, 5, 5)
    want = model.temperature(model.head(model.act3(model.linear3(value.flatten(1)))))
    assert torch.allclose(model(x), want, atol=1e-4)
    with pytest.raises(ValueError, match="images are for `gnet`"):
        create_model("gnet_1d", shape=(1, 9, 9))
