"""Transformers: sizes as published, attention against its formula, one bit a weight, and a clear word at freezing."""

import numpy as np
import pytest
import torch

from bitwright.freeze import FreezeError, freeze
from bitwright.layers import BinaryLinear
from bitwright.models import create_model
from bitwright.models.vit import Attention

REAL = {"weight_quantizer": "real", "scale": "none"}
TINY = {"shape": (3, 8, 8), "patch": 4, "width": 12, "depth": 2, "heads": 3}


def test_the_widths_of_deit_tiny():
    model = create_model("vit", depth=12, **REAL)
    blocks = sum(p.numel() for p in model.blocks.parameters())
    # 12 * 192^2 weights a block, two norms, and of DeiT's biases those of the first layer behind the attention
    assert blocks == 12 * (12 * 192**2 + 4 * 192 + 4 * 192)


def test_attention_is_its_formula():
    torch.manual_seed(0)
    layer = Attention(6, 2, "real", {"weight_quantizer": "real", "scale": "none"})
    x = torch.randn(2, 5, 6)
    q, k, v, out = (part.weight.detach().numpy().T for part in (layer.query, layer.key, layer.value, layer.out))
    made = layer(x).detach().numpy()
    for sample, tokens in zip(made, x.numpy(), strict=True):
        heads = []
        for h in (slice(0, 3), slice(3, 6)):
            scores = (tokens @ q[:, h]) @ (tokens @ k[:, h]).T / np.sqrt(3)
            weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
            heads.append(weights @ (tokens @ v[:, h]))
        assert np.allclose(sample, np.concatenate(heads, 1) @ out, atol=1e-5)


@pytest.mark.parametrize("options", [REAL, {}, {"quantizer": "approx_sign"}, {"quantizer": "rsign"}])
def test_it_trains_and_evaluates(options):
    model = create_model("vit", seed=0, **TINY, **options)
    x, y = torch.randint(0, 256, (16, 3, 8, 8)).float(), torch.arange(16) % 10
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0] and model.eval()(x).shape == (16, 10)


def test_weights_of_the_blocks_are_one_bit():
    model = create_model("vit", seed=0, **TINY)
    binary = [layer for layer in model.blocks.modules() if isinstance(layer, BinaryLinear)]
    assert len(binary) == 2 * 6
    for layer in binary:
        assert set(layer.binary_weight().unique().tolist()) <= {-1.0, 1.0}


def test_freezing_names_the_operations():
    x = np.zeros((2, 3, 8, 8), np.uint8)
    with pytest.raises(FreezeError, match="attention.*softmax, LayerNorm and GELU"):
        freeze(create_model("vit", **TINY), input=x, calibrate=x)
    with pytest.raises(ValueError, match="patches of 4"):
        create_model("vit", shape=(3, 30, 30))
    with pytest.raises(ValueError, match="3 heads"):
        create_model("vit", width=100)
