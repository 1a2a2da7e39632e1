"""The logic networks: gates counted, hardening in order, gradients to every gate, and what the loop does to them."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.data import from_arrays  # noqa: E402
from bitwright.layers import LogicConv2d, LogicLinear, OrPool2d  # noqa: E402
from bitwright.models import create_model, summary  # noqa: E402
from bitwright.quantizers import set_progress  # noqa: E402
from bitwright.train import fit  # noqa: E402
from bitwright.train.recipe import Recipe  # noqa: E402

RECIPES = Path(__file__).parents[2] / "recipes"


def gates(model) -> list[LogicLinear]:
    return [module for module in model.modules() if isinstance(module, LogicLinear)]


def test_a_seed_decides_wiring_and_state_dict_carries_it():
    options = {"shape": (1, 6, 6), "widths": (60, 40), "residual": False}
    first, same, other = (create_model("logic_mlp", seed=seed, **options).eval() for seed in (1, 1, 2))
    x = torch.randint(0, 256, (50, 1, 6, 6)).float()
    assert torch.equal(first(x), same(x)) and not torch.equal(first(x), other(x))
    other.load_state_dict(first.state_dict())
    assert torch.equal(first(x), other(x))


def test_a_loaded_wiring_reaches_the_gradient_too():
    """The plan of who reads what follows the wiring that was loaded, not the one a layer was built with."""
    torch.manual_seed(0)
    first, second, x = LogicLinear(9, 20), LogicLinear(9, 20), torch.rand(4, 9)
    for layer in (first, second):
        layer(x.clone().requires_grad_()).sum().backward()
    second.load_state_dict(first.state_dict())
    grads = []
    for layer in (first, second):
        mine = x.clone().requires_grad_()
        layer(mine).square().sum().backward()
        grads.append(mine.grad)
    assert torch.equal(*grads)


def test_layers_harden_one_after_another():
    model = create_model("logic_mlp", shape=(1, 4, 4), widths=(20, 20, 20), harden_from=0.5, harden_all_at=0.9)
    found = []
    for progress in (0.0, 0.5, 0.75, 0.9, 1.0):
        set_progress(model, progress)
        found.append([layer.tables.sampling_now for layer in gates(model)])
    soft, hard = "soft", "hard"
    assert found == [[soft] * 3, [hard, soft, soft], [hard, hard, soft], [hard] * 3, [hard] * 3]
    set_progress(model, 0.9)
    bits = model[:-1](torch.randint(0, 256, (30, 1, 4, 4)).float())
    assert set(bits.unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("sampling", ["soft", "hard", "gumbel"])
@pytest.mark.parametrize("parametrization", ["gates16", "table", "walsh"])
def test_every_way_of_training_reaches_every_layer(sampling, parametrization):
    options = {"sampling": sampling, "parametrization": parametrization}
    model = create_model("logic_conv", shape=(1, 14, 14), channels=(3, 4), widths=(40, 20), seed=0, **options)
    x, y = torch.randint(0, 256, (16, 1, 14, 14)).float(), torch.arange(16) % 10
    torch.nn.functional.cross_entropy(model(x), y).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_the_published_cifar_net_has_960_512_gates_before_simplification():
    """The count that the paper's table leads to for k = 32: trees of 7 at every pixel, 3 an OR of four, dense gates."""
    options = Recipe.from_toml(RECIPES / "campaign" / "cifar_logic_conv.toml").model_options
    model = create_model("logic_conv", shape=(3, 32, 32), **options).eval()
    counted, x = 0, torch.zeros(1, 3, 32, 32)
    with torch.no_grad():
        for module in model:
            x = module(x)
            each = {LogicConv2d: 7, OrPool2d: 3, LogicLinear: 1}
            counted += each.get(type(module), 0) * x.numel()
    assert counted == 960_512


def test_widths_must_suit_the_classes():
    with pytest.raises(ValueError, match="25 bits cannot form 10 equal groups; give the layer before it 20 or 30"):
        create_model("logic_mlp", widths=(50, 25))
    with pytest.raises(ValueError, match="no wiring 'chance'; choose one of unique"):
        create_model("logic_mlp", wiring="chance", widths=(50, 20))
    with pytest.raises(ValueError, match="expected 2..6"):
        create_model("logic_mlp", k=7, widths=(50, 20))
    with pytest.raises(ValueError, match="gates16' has k = 2"):
        create_model("logic_mlp", k=3, widths=(50, 20))


def test_the_loop_trains_gates_and_clips_none():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (300, 10)).astype(np.uint8)
    y = ((x[:, 1] >= 128) & (x[:, 4] < 128)).astype(np.int64)
    options = {"shape": (10,), "classes": 2, "widths": (40, 20), "tau": 2.0, "thresholds": (127.5,)}
    model = create_model("logic_mlp", seed=0, **options)
    result = fit(model, from_arrays(x, y), epochs=40, batch_size=50, lr=0.05, progress=False)
    assert result.val_accuracy > 85 and max(float(p.detach().abs().max()) for p in model.parameters()) > 5


def test_the_summary_counts_the_bits_of_truth_tables():
    model = create_model("logic_mlp", shape=(1, 6, 6), widths=(60, 40), wiring="learned")
    rows = {row.name: row for row in summary(model).layers}
    assert [rows[name].weights for name in ("logic1", "logic2")] == [240, 160]
    assert all(row.weight_bits == 1 and row.input_bits == 1 and not row.why for row in rows.values())
    conv = create_model("logic_conv", shape=(1, 14, 14), channels=(3, 4), widths=(40, 20))
    assert summary(conv).totals["binary_weights"] == 4 * (7 * 7 + 60)  # trees of 7 gates


def test_thresholds_learn_where_a_width_is_given():
    options = {"shape": (1, 6, 6), "widths": (80, 40), "thresholds": (80.0, 160.0), "seed": 0}
    assert not any("encoder" in name for name, _ in create_model("logic_mlp", **options).named_parameters())
    model = create_model("logic_mlp", **options, threshold_width=16.0).train()
    model(torch.rand(30, 1, 6, 6) * 255).square().sum().backward()
    moved = [p.grad for name, p in model.named_parameters() if "encoder" in name]
    assert len(moved) == 2 and all(bool(grad.abs().sum() > 0) for grad in moved)
