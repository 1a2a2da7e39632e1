"""In a training step no number is read from where a tensor lies: a GPU would be waited for, once a layer. Nor does it
mix devices, or wait for what it sends to its own.
"""

import copy
from contextlib import nullcontext

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from torch import nn  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402

from bitwright.data import from_arrays  # noqa: E402
from bitwright.models import create_model  # noqa: E402
from bitwright.quantizers import METHODS, make_quantizer  # noqa: E402
from bitwright.quantizers.numbers import read_number, register_number, write_number  # noqa: E402
from bitwright.train import Recipe  # noqa: E402
from bitwright.train import run as run_module  # noqa: E402
from bitwright.train.run import Run  # noqa: E402

SIDE = 8
RNG = np.random.default_rng(0)
DATA = from_arrays(RNG.integers(0, 256, (40, 3, SIDE, SIDE)).astype(np.uint8), np.arange(40) % 10, seed=0)
READS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)
RESNET = {"width": 4, "blocks": (1, 1), "form": "double"}
VIT = {"width": 12, "depth": 1, "heads": 2, "patch": 4}
GATES = {"widths": (120, 100)}
CASES: dict[str, tuple[str, dict, dict]] = {  # name -> (model, its options, the recipe's)
    **{name: ("resnet20", {**RESNET, "method": name}, {}) for name in METHODS},
    "narrow sums": ("resnet20", {**RESNET, "accumulator": "wrap8_half"}, {"overflow_penalty": 1.0}),
    "bop": ("resnet20", RESNET, {"optimizer": "bop"}),
    "regularized": ("resnet20", {**RESNET, "weight_quantizer": "clamp_poly"}, {"regularize": {"weight": 0.1}}),
    "pc++": ("resnet20", {**RESNET, "weight_quantizer": "latent"}, {"prox": {"update": "pc++"}}),
    "vit": ("vit", {**VIT, "weight_quantizer": "parq"}, {"optimizer": "adamw", "augment": {"mixup": 1.0}}),
    "gates": ("logic_mlp", GATES, {"average": 0.9, "augment": {"shift": 2, "flip": True}}),
    "gates of Gumbel": ("logic_mlp", {**GATES, "sampling": "gumbel", "harden_from": 0.1}, {}),
    "gates, wired by learning": ("logic_mlp", {**GATES, "wiring": "learned", "resample_until": 0.9}, {}),
    "trees of gates": ("logic_conv", {**GATES, "channels": (4,), "first_kernel": 3}, {"autocast": "bf16"}),
    "cosines": ("gnet", {"channels": (4,), "kernels": (3,), "train_dimensions": 255}, {}),
}


class Readings(TorchDispatchMode):
    n = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.n += func in READS
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("case", CASES)
def test_a_step_reads_nothing_back(case):
    name, options, fields = CASES[case]
    model = create_model(name, seed=0, shape=(3, SIDE, SIDE), classes=10, **options).train()
    run = Run(model, DATA, Recipe.from_dict({"batch_size": 8, "epochs": 9, "device": "cpu", **fields}), None, None)
    for run.step in range(2):
        readings = Readings()
        with readings:
            run.train_step(torch.arange(8))
    assert readings.n == 0


class Elsewhere(TorchDispatchMode):
    """The device "meta" has no numbers, only shapes, and stands for a GPU: what is read of it here is 0. `mixed`:
    what a GPU would refuse. `waits`: what the CPU would wait for."""

    def __init__(self):
        super().__init__()
        self.mixed: list[str] = []
        self.waits: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        there = any(tensor.is_meta for tensor in tensors)
        mixed = there and any(tensor.dim() and not tensor.is_meta for tensor in tensors)
        if func is torch.ops.aten._to_copy.default:
            sent = not there and torch.device(kwargs.get("device") or "cpu").type == "meta"
            if sent and not kwargs.get("non_blocking"):
                self.waits.append(f"{func}")
        elif mixed and func is torch.ops.aten.copy_.default:
            self.waits += [f"{func}"] * (args[2:] != (True,))
        elif mixed:
            self.mixed.append(f"{func}")
        if there and func in READS:
            self.waits.append(f"{func}")
            return 0
        if there and func is torch.ops.aten.bincount.default:  # which meta tensors lack
            return torch.empty(args[2], dtype=torch.long, device="meta")
        return func(*args, **kwargs)


@pytest.mark.parametrize("case", CASES)
def test_a_step_stays_on_its_device(case, monkeypatch):
    name, options, fields = CASES[case]
    monkeypatch.setattr(run_module, "pick_device", torch.device)
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())  # meta knows no other precision
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda *args: False)
    model = create_model(name, seed=0, shape=(3, SIDE, SIDE), classes=10, **options).train()
    run = Run(model, DATA, Recipe.from_dict({"batch_size": 8, "epochs": 9, "device": "meta", **fields}), None, None)
    for run.step in range(2):
        elsewhere, rows = Elsewhere(), torch.arange(8, device="meta")
        with elsewhere:
            run.train_step(rows)
        assert elsewhere.mixed == []
    assert elsewhere.waits == []  # the first step may fetch what never changes


def test_a_number_is_read_again_after_somebody_else_wrote_it():
    module = nn.Module()
    register_number(module, "share", 0.25)
    register_number(module, "times", 3)
    write_number(module, "share", 0.1)
    with Readings() as readings:
        assert (read_number(module, "share"), readings.n) == (0.1, 0)
        assert (read_number(module, "times"), readings.n) == (3, 1)
        module.load_state_dict({"share": torch.tensor(0.5, dtype=torch.float64), "times": torch.tensor(4)})
        assert (read_number(module, "share"), read_number(module, "times"), readings.n) == (0.5, 4, 3)
        assert read_number(module.to(torch.float32), "share") == 0.5 and readings.n == 4


def test_a_copy_knows_its_own_numbers():
    for n_writes in range(5):
        first = make_quantizer("bnn++")
        for progress in range(n_writes):
            first.set_progress(progress / 10)
        second = copy.deepcopy(first)
        second.load_state_dict({"sharpness": torch.tensor(7.0)})
        assert second.values() == {"sharpness": 7.0}


def test_numbers_of_a_module_made_in_inference_mode():
    with torch.inference_mode():
        quantizer = make_quantizer("bnn++")
        quantizer.set_progress(0.4)
        assert quantizer.values() == {"sharpness": 15.0}


def test_values_of_a_quantizer_follow_its_saved_state():
    first, second = make_quantizer("bnn++"), make_quantizer("bnn++")
    first.set_progress(0.4)
    assert second.values() == {"sharpness": 5.0}
    second.load_state_dict(first.state_dict())
    assert second.values() == first.values() == {"sharpness": 15.0}
