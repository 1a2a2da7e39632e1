"""What logic layers and models refuse, each with the input's name, the rule and the way out."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.layers import LogicConv2d, LogicLinear  # noqa: E402
from bitwright.models import create_model  # noqa: E402

REFUSED = {
    "groups do not divide 4 and 6": lambda: LogicConv2d(4, 6, 3, groups=3),
    r"channels 4 and 0, kernel_size 3": lambda: LogicConv2d(4, 0, 3),
    r"kernel_size \(3, 0\).*expected at least 1": lambda: LogicConv2d(4, 6, (3, 0)),
    "stride 0, padding 0; expected at least 1": lambda: LogicConv2d(4, 6, 3, stride=0),
    "padding -1; expected .* padding from 0": lambda: LogicConv2d(4, 6, 3, padding=-1),
    "0 gates, temperature 1.0; expected 1 or more": lambda: LogicLinear(4, 0),
    "3 gates, temperature 0.0; expected 1 or more, and above 0": lambda: LogicLinear(4, 3, temperature=0.0),
    r"logic_mlp: widths \(\)": lambda: create_model("logic_mlp", widths=()),
    r"logic_mlp: .*thresholds \(\)": lambda: create_model("logic_mlp", widths=(80, 40), thresholds=()),
    "logic_conv: nothing is left of 8 x 8 pixels behind convolution 2": lambda: create_model(
        "logic_conv", shape=(1, 8, 8), channels=(4, 6, 8), first_kernel=6
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_sizes_that_cannot_be(message):
    with pytest.raises(ValueError, match=message):
        REFUSED[message]()


@pytest.mark.parametrize("layer, buffer, wrong, message", [
    (LogicLinear(5, 4), "wiring", 5, r"wiring: wiring: reads inputs \d\.\.5, but there are 5: 0\.\.4"),
    (LogicLinear(5, 4), "wiring", -1, r"wiring: wiring: reads inputs -1"),
    (LogicLinear(9, 4, wiring="learned", n_candidates=3), "choice.candidates", 9, "candidates: .*there are 9"),
    (LogicConv2d(2, 3, (3, 2)), "taps", 2, "taps: .*there are 2: 0..1"),
])  # fmt: skip
def test_a_damaged_checkpoint_never_reaches_the_kernels(layer, buffer, wrong, message):
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    state[buffer][0, -1] = wrong
    before = layer.state_dict()[buffer].clone()
    with pytest.raises(RuntimeError, match=message):
        torch.nn.ModuleDict({"inner": layer}).load_state_dict({f"inner.{name}": v for name, v in state.items()})
    assert torch.equal(layer.state_dict()[buffer], before)
