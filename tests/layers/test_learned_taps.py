"""LogicConv2d whose leaves choose their taps: training against the formula, eval against the chosen taps laid fixed."""

import copy
import itertools

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.layers import LogicConv2d, native_choice  # noqa: E402
from bitwright.models import create_model  # noqa: E402

SHAPES = [
    dict(in_channels=4, out_channels=6, kernel_size=(2, 3), depth=2, stride=(1, 2), padding=(1, 0), groups=2),
    dict(in_channels=1, out_channels=5, kernel_size=3, depth=1, padding=1, pad_value=1, sampling="hard"),
    dict(in_channels=3, out_channels=2, kernel_size=3, k=3, channels_per_tree=3, depth=2, parametrization="table"),
]


def learned(shape, seed=0):
    torch.manual_seed(seed)
    layer = LogicConv2d(**shape, residual=False, wiring="learned", n_candidates=5)
    torch.nn.init.normal_(layer.choice.logits)
    return layer


def formula(layer, x):
    """At each position, tree by tree: each leaf the weighted mean of its candidates, then the sum over addresses."""
    (height, width), (down, across), k = layer.kernel_size, layer.stride, layer.k
    top, bottom, left, right = layer.padding
    x = torch.nn.functional.pad(x, (left, right, top, bottom), value=layer.pad_value)
    rows, columns = ((x.shape[2] - height) // down + 1, (x.shape[3] - width) // across + 1)
    choice, tables = layer.choice, layer.tables()
    n_first = choice.candidates.shape[0] // k  # gates of the first level
    result = torch.zeros(len(x), layer.out_channels, rows, columns, dtype=x.dtype)
    for row, column in itertools.product(range(rows), range(columns)):
        window = x[:, :, row * down : row * down + height, column * across : column * across + width].flatten(1)
        mixed = (window[:, choice.candidates.long()] * choice.weights().T).sum(2)  # (batch, k * gates)
        signals, at = mixed.reshape(len(x), k, n_first), 0
        for _ in range(layer.depth):
            table, total = tables[at : at + signals.shape[2]], 0
            for bits in itertools.product((0, 1), repeat=k):
                weight = table[:, int("".join(map(str, bits)), 2)]
                for j, bit in enumerate(bits):
                    weight = weight * (signals[:, j] if bit else 1 - signals[:, j])
                total = total + weight
            at += signals.shape[2]
            last = total
            signals = total.reshape(len(x), -1, k).transpose(1, 2) if total.shape[1] % k == 0 else total
        result[:, :, row, column] = last
    return result


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_training_is_the_formula(shape, native, monkeypatch):
    if not native:
        monkeypatch.setattr(native_choice, "takes", lambda *values: False)
    layer, found = learned(shape), []
    exact, x = copy.deepcopy(layer).double(), torch.rand(3, shape["in_channels"], 4, 5)
    for model, numbers in ((layer, x), (exact, x.double())):
        leaf = numbers.clone().requires_grad_()
        y = model(leaf) if model is layer else formula(model, leaf)
        y.backward(torch.linspace(-1, 1, y.numel()).reshape(y.shape).to(y))
        found.append([y.detach(), leaf.grad, *(p.grad for p in model.parameters())])
    assert len(found[0]) == 4
    for mine, want in zip(*found, strict=True):
        torch.testing.assert_close(mine.double(), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_eval_takes_the_strongest_and_follows_them(shape):
    layer = learned(shape).eval()
    plain = LogicConv2d(**shape).eval()
    plain.tables.load_state_dict(layer.tables.state_dict())
    x = torch.randint(2, (5, shape["in_channels"], 6, 7)).float()
    for _ in range(2):
        strongest = layer.choice.candidates[torch.arange(len(layer.choice.candidates)), layer.choice.logits.argmax(0)]
        places = strongest.reshape(shape.get("k", 2), -1).T.flatten()
        height, width = layer.kernel_size
        plain.taps.copy_(torch.stack([places // (height * width), places // width % height, places % width], 1))
        y = layer(x)
        assert torch.equal(y, plain(x)) and set(y.unique().tolist()) <= {0.0, 1.0}
        assert torch.equal(layer.taps, plain.taps)
        layer.choice.logits.data.normal_()  # as an optimizer would, unseen by torch's counter of versions


@pytest.mark.parametrize("shape", SHAPES)
def test_candidates_are_distinct_places_that_the_tree_sees(shape):
    layer = learned(shape)
    height, width = layer.kernel_size
    leaves = layer.choice.candidates.reshape(layer.k, layer.out_channels, -1, 5).transpose(0, 1).flatten(1, 2)
    assert (leaves.sort(2).values.diff(dim=2) > 0).all()
    group_in, group_out = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    for out, tree in enumerate(leaves):
        channels = (tree // (height * width)).unique()
        assert len(channels) <= shape.get("channels_per_tree", 2)
        assert (channels // group_in == out // group_out).all()


def test_a_saved_layer_chooses_as_before():
    layer, other = learned(SHAPES[0], 1).eval(), learned(SHAPES[0], 2).eval()
    x = torch.randint(2, (3, 4, 5, 6)).float()
    assert not torch.equal(layer(x), other(x))
    other.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x), other(x))


@pytest.mark.parametrize("batch", [0, 1, 513])
def test_every_batch_size(batch):
    layer = learned(SHAPES[0])
    x = torch.rand(batch, 4, 3, 4, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.shape == x.shape and layer.eval()(x).shape[0] == batch


def test_choices_that_cannot_be():
    with pytest.raises(
        ValueError, match=r"10 candidates, expected 2..9 \(the places a tree sees: 1 channels x 3 x 3\)"
    ):
        LogicConv2d(1, 2, 3, wiring="learned", n_candidates=10)
    with pytest.raises(ValueError, match="no wiring of windows 'unique'; choose one of random, learned"):
        LogicConv2d(1, 2, 3, wiring="unique")


def test_the_model_hands_the_choice_on():
    model = create_model("logic_conv", shape=(1, 20, 20), channels=(4, 6), widths=(100, 50), conv_wiring="learned",
                         wiring="learned", n_candidates=6)  # fmt: skip
    chosen = [m.choice.candidates.shape[1] for m in model if getattr(m, "choice", None) is not None]
    assert chosen == [6] * 4
