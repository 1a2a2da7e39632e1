"""Gradients keep channels last within layout_kept, and training uses it."""

import pytest
import torch
from torch import nn

from bitwright.models import create_model
from bitwright.train.layout import FORGETFUL, layout_kept


def _network(name):
    torch.manual_seed(0)
    shape = (3, 8, 8) if name == "resnet20" else (3, 16, 16)
    options = {"width": 4, "blocks": (1, 1)} if name == "resnet20" else {"channels": (4, 8, 8), "pool": (True,) * 3}
    return create_model(name, seed=0, shape=shape, **options), torch.rand(3, *shape) * 255


def _gradients(model, x):
    """Whether each gradient of an image behind a layer has channels last, and the gradients of the parameters."""
    images, hooks, layouts = [], [], []

    def look(layer, inputs, output):
        if output.dim() == 4 and output.requires_grad and output.shape[2] > 1:
            images.append(output)

    for layer in model.modules():
        if not list(layer.children()) and not isinstance(layer, FORGETFUL):
            hooks.append(layer.register_forward_hook(look))
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(x), torch.arange(3))
    for image in images:  # now, so that these come last
        image.register_hook(lambda grad: layouts.append(grad.is_contiguous(memory_format=torch.channels_last)))
    loss.backward()
    for hook in hooks:
        hook.remove()
    return layouts, [p.grad.clone() for p in model.parameters() if p.grad is not None]


@pytest.mark.parametrize("name", ["resnet20", "sign_cnn"])
def test_within_it_every_gradient_has_channels_last(name):
    model, x = _network(name)
    model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    model.train()
    before, wanted = _gradients(model, x)
    with layout_kept(model):
        within, gradients = _gradients(model, x)
    after, _ = _gradients(model, x)
    assert not all(before), "without it nothing would have to be done"
    assert within and all(within)
    assert before == after
    for got, want in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-6)


def test_other_layouts_and_flat_inputs_are_left_alone():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 3), nn.Flatten())
    x = torch.rand(2, 3, 8, 8, requires_grad=True)
    with layout_kept(model):
        model(x).sum().backward()
    assert x.grad is not None and x.grad.is_contiguous()
    assert not model[1]._forward_pre_hooks
