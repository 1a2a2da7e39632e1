"""Frozen Programs against the models they came from: every hidden bit, every score, every value of the grid twin."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bitwright.freeze import FreezeError, agreement, freeze
from bitwright.ir import execute, from_bytes
from bitwright.layers import BinaryConv2d, BinaryLinear, RPReLU, RSign, Sign
from bitwright.models import create_model


def lively(model: nn.Module, seed: int = 0) -> nn.Module:
    """Batch norms of all signs and sizes, so that thresholds fall everywhere."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            n = module.num_features
            module.running_mean.copy_(5 * torch.randn(n, generator=generator))
            module.running_var.copy_(10 + 300 * torch.rand(n, generator=generator))
            module.weight.data.copy_(torch.randn(n, generator=generator))
            module.bias.data.copy_(0.5 * torch.randn(n, generator=generator))
    return model.eval()


def images(n: int = 24, shape: tuple[int, ...] = (1, 28, 28), hi: int = 255, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, hi + 1, (n, *shape)).astype(np.uint8)


EXACT = {
    "mlp": lambda: create_model("sign_mlp", hidden=(100, 65), seed=1),
    "cnn": lambda: create_model("sign_cnn", channels=(8, 12, 16, 16), hidden=(33,), seed=2),
    "cnn padded with 0": lambda: create_model("sign_cnn", channels=(8, 12, 16, 16), hidden=(33,), pad_value=0.0),
    "scaled, grouped, dilated": lambda: nn.Sequential(
        BinaryConv2d(1, 6, 3, stride=2, scale="channel"), nn.BatchNorm2d(6), nn.Hardtanh(), Sign(),
        BinaryConv2d(6, 12, 3, padding=2, dilation=2, groups=3, pad_value=1.0, scale="learned"), nn.BatchNorm2d(12),
        nn.PReLU(12), nn.BatchNorm2d(12), nn.Dropout(), Sign(), nn.MaxPool2d(3, 2, 1), nn.Flatten(),
        BinaryLinear(12 * 7 * 7, 10, scale="tensor"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_networks_of_bits_and_sums_freeze_exactly(name):
    torch.manual_seed(0)
    model = lively(EXACT[name]())
    program = freeze(model, input=images())
    report = agreement(program, images(40))
    assert report.exact and report.hidden_compared > 1000
    assert (report.hidden_differing, report.scores_differing, report.twin_differing) == (0, 0, 0)


def test_rprelu_with_negative_slopes_before_a_sign_is_exact():
    class Turning(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm, self.act = BinaryLinear(64, 50), nn.BatchNorm1d(50), RPReLU(50)
            self.sign, self.head = RSign(50), BinaryLinear(50, 4)

        def forward(self, x):
            return self.head(self.sign(self.act(self.norm(self.first(x.view(x.size(0), -1))))))

    model = lively(Turning())
    with torch.no_grad():
        model.act.slope.copy_(torch.linspace(-2, 2, 50))
        model.act.shift_in.normal_()
        model.sign.bias.normal_()
    program = freeze(model, input=images(shape=(1, 8, 8), hi=16))
    assert "lut" in [op.name for op in program.ops]
    report = agreement(program, images(300, (1, 8, 8), 16))
    assert report.exact and report.ok


class Mixed(nn.Module):
    """The torch modules and calls that users mix with ours."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, padding="same", stride=1)
        self.norm, self.prelu, self.pool = nn.BatchNorm2d(8), nn.PReLU(8), nn.AvgPool2d(2)
        self.sign, self.conv = Sign(), BinaryConv2d(8, 8, 3, padding=1, scale="channel")
        self.post, self.head = nn.BatchNorm2d(8), nn.Linear(16, 10)

    def forward(self, x):
        x = self.pool(self.prelu(self.norm(self.stem(x / 255))))
        y = F.relu(self.post(self.conv(self.sign(x)))) + x
        y = torch.cat([y, F.max_pool2d(y, 3, 1, 1)], 1)
        return self.head(y.mean((2, 3)))


@pytest.mark.parametrize("build", [Mixed, lambda: create_model("sign_resnet", width=8, seed=4)])
def test_real_streams_equal_the_twin_and_stay_near_the_model(build):
    torch.manual_seed(0)
    model, x = build(), images(64)
    model.train()
    for _ in range(3):
        model(torch.from_numpy(x).float())
    program = freeze(model.eval(), input=x, calibrate=x)
    report = agreement(program, x)
    assert not report.exact and report.twin_differing == 0 and report.twin_compared > 10_000
    spread = execute(program, x)[-1].std() * program.frozen.score_scale
    assert report.largest_score_difference < 0.35 * spread  # a few signs near zero may turn; the function is the same
    assert any("real" in note["why"] or "kept" in note["why"] for note in program.header["wider_than_a_bit"])


def test_the_twin_trains_with_rounded_streams():
    model, x = create_model("sign_resnet", width=4, seed=0), images(16)
    model(torch.from_numpy(x).float())
    program = freeze(model.eval(), input=x, calibrate=x)
    twin = program.frozen.twin.train()
    twin(torch.from_numpy(x).float()).square().sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in twin.model.parameters())
    again = freeze(twin.model, input=x, calibrate=x)
    assert agreement(again, x).ok


def test_frozen_program_survives_its_file():
    program = freeze(lively(EXACT["cnn"]()), input=images(), classes=[f"c{i}" for i in range(10)])
    again = from_bytes(program.to_bytes())
    assert again.classes[3] == "c3" and again.header == program.header
    assert (execute(again, images())[-1] == execute(program, images())[-1]).all()


class Branching(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Negative(nn.Linear):
    """Not what its parent's rule says."""

    def forward(self, x):
        return -super().forward(x)


class ReadAgain(nn.Module):
    def __init__(self):
        super().__init__()
        self.flat, self.a, self.relu, self.b = nn.Flatten(), nn.Linear(784, 8), nn.ReLU(inplace=True), nn.Linear(8, 8)

    def forward(self, x):
        x = self.a(self.flat(x))
        return self.b(self.relu(x)) + x


class Sliced(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(784, 4)

    def forward(self, x):
        return self.head(x.flatten(1))[:, :2]


class AddedInPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(784, 8), nn.Linear(8, 8)

    def forward(self, x):
        x = self.a(x.flatten(1))
        same = x
        x += self.b(x)
        return self.b(same)


class LiveDropout(AddedInPlace):
    def forward(self, x):
        return F.dropout(self.a(x.flatten(1)), 0.9)


REFUSED = {
    "AddedInPlace gives other numbers than the calls": AddedInPlace(),
    "drops in eval mode too": LiveDropout(),
    "Negative has a forward of its own": nn.Sequential(nn.Flatten(), Negative(784, 3)),
    "changes 'a' in place, which is read again": ReadAgain(),
    "is used in a way no rule knows \\(TypeError": Sliced(),
    "no rule for GELU": nn.Sequential(nn.Flatten(), BinaryLinear(784, 8), nn.GELU(), BinaryLinear(8, 2)),
    "cannot be traced": Branching(),
    "'1' \\(BatchNorm1d\\).*features": nn.Sequential(nn.Flatten(), nn.BatchNorm1d(3)),
    "padding_mode 'reflect'": nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect")),
    "expected \\(batch, classes\\)": nn.Sequential(BinaryConv2d(1, 2, 3)),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_lowered_names_the_module_and_the_reason(message):
    with pytest.raises(FreezeError, match=message):
        freeze(REFUSED[message].eval(), input=images())


def test_input_must_be_said():
    with pytest.raises(ValueError, match="what does the model eat"):
        freeze(EXACT["mlp"]())
    with pytest.raises(TypeError, match="float64"):
        freeze(EXACT["mlp"](), input=np.zeros((1, 4)))


def scored(model, x, **options):
    """(scores of the Program as the model's numbers, scores of the model)."""
    program = freeze(model.eval(), input=x, **options)
    with torch.no_grad():
        theirs = model(torch.from_numpy(x).float()).numpy()
    return execute(program, x)[-1] * program.header["bitwright"]["score_scale"], theirs


def test_scores_are_not_cut_off_to_a_streams_width():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    model[1].weight.data *= 20
    ours, theirs = scored(model, images(40, (12,)))
    assert np.abs(theirs).max() > 1000
    np.testing.assert_allclose(ours, theirs, atol=0.01 * np.abs(theirs).max())


class Shifted(nn.Module):
    def __init__(self, offset, clamp):
        super().__init__()
        self.offset, self.clamp, self.head = offset, clamp, nn.Linear(12, 3)

    def forward(self, x):
        return self.head(self.clamp(x.flatten(1) + self.offset))


@pytest.mark.parametrize("offset, clamp", [(-300, nn.ReLU()), (300, nn.Hardtanh()), (-300, nn.Hardtanh(-2.0, 1.5)),
                                           (-100, nn.ReLU()), (0, nn.ReLU6())])  # fmt: skip
def test_a_clamp_is_right_wherever_its_values_lie(offset, clamp):
    torch.manual_seed(1)
    x = images(40, (12,))
    ours, theirs = scored(Shifted(offset, clamp), x, calibrate=x)
    np.testing.assert_allclose(ours, theirs, atol=0.02 * np.abs(theirs).max() + 0.05)


SIGNS = {"weight_quantizer": "ste"}
MOVED = {
    "to one pixel": ((1, 6, 6), lambda: nn.Sequential(
        BinaryConv2d(1, 8, 3, **SIGNS), nn.BatchNorm2d(8), nn.MaxPool2d(4), nn.Flatten(), Sign(),
        BinaryLinear(8, 3, **SIGNS))),
    "fresh norm": ((1, 6, 6), lambda: nn.Sequential(
        BinaryConv2d(1, 8, 3, **SIGNS), nn.BatchNorm2d(8), nn.Flatten(), BinaryLinear(128, 3, **SIGNS))),
    "learned scale": ((1, 6, 6), lambda: nn.Sequential(
        BinaryConv2d(1, 8, 3, scale="learned", **SIGNS), nn.Flatten(), BinaryLinear(128, 3, **SIGNS))),
    "through sums": ((12,), lambda: nn.Sequential(
        BinaryLinear(12, 32, **SIGNS), nn.BatchNorm1d(32), BinaryLinear(32, 16, **SIGNS), nn.Linear(16, 3))),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVED)
def test_a_chain_goes_along_when_channels_move(name):
    shape, build = MOVED[name]
    torch.manual_seed(2)
    ours, theirs = scored(build(), images(40, shape))
    np.testing.assert_allclose(ours, theirs, atol=0.02 * np.abs(theirs).max())


def test_rounded_weights_are_not_called_exact():
    torch.manual_seed(3)
    layers = nn.Linear(12, 64), nn.BatchNorm1d(64), Sign(), BinaryLinear(64, 3)
    program = freeze(nn.Sequential(*layers).eval(), input=images(4, (12,)))
    assert not program.header["bitwright"]["exact"]
    layers[0].weight.data.copy_(torch.randint(-127, 128, (64, 12)).float() / 127)
    layers[0].weight.data[:, 0] = 1
    assert freeze(nn.Sequential(*layers).eval(), input=images(4, (12,))).header["bitwright"]["exact"]


def test_what_freeze_is_given_is_checked():
    model = nn.Sequential(nn.Flatten(), BinaryLinear(12, 3))
    x = images(4, (12,))
    wrong = {
        "stream_bits is 70": {"stream_bits": 70},
        "fraction_bits is 8.5": {"fraction_bits": 8.5},
        "calibrate has shape": {"calibrate": x[:0]},
        r"expected \(samples, 12": {"calibrate": x[:, :5]},
        "header: ": {"header": {"a": float("nan")}},
    }
    for message, options in wrong.items():
        with pytest.raises(ValueError, match=message):
            freeze(model, input=x, **options)
    with pytest.raises(TypeError, match="expected a torch.nn.Module"):
        freeze("model", input=x)
    alone = nn.Linear(12, 3)
    np.testing.assert_allclose(*scored(alone, x), atol=3)
