"""Mixup and CutMix against what they say of themselves, and inside `fit`."""

import numpy as np
import pytest
import torch

from bitwright.data import load_data
from bitwright.models import create_model
from bitwright.train import Augment, Recipe, fit
from bitwright.train.mix import mix


def images(n=8):
    return torch.arange(n).float()[:, None, None, None].expand(n, 2, 6, 6).contiguous() * 10


def test_mixup_joins_with_one_share():
    x = images()
    mixed, partner, share = mix(x, Augment(mixup=0.4), torch.Generator().manual_seed(3))
    assert sorted(partner.tolist()) == list(range(8)) and 0 <= share <= 1
    for i, j in enumerate(partner.tolist()):
        assert np.allclose(mixed[i].numpy(), share * 10 * i + (1 - share) * 10 * j, atol=1e-4)


def test_cutmix_puts_one_rectangle_and_counts_it():
    x = images()
    seen = set()
    for seed in range(40):
        mixed, partner, share = mix(x, Augment(cutmix=1.0), torch.Generator().manual_seed(seed))
        i = next(i for i in range(8) if partner[i] != i)
        foreign = (mixed[i, 0] == 10 * int(partner[i])).numpy()
        assert (mixed[i, 0].numpy()[~foreign] == 10 * i).all()
        assert share == pytest.approx(1 - foreign.sum() / 36)
        rows, columns = foreign.any(1).sum(), foreign.any(0).sum()
        assert foreign.sum() == rows * columns
        seen.add(int(foreign.sum()))
    assert len(seen) > 3


def test_the_shares_are_of_a_beta():
    shares = [mix(images(2), Augment(mixup=2.0), torch.Generator().manual_seed(s)).share for s in range(2000)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.02)
    assert np.var(shares) == pytest.approx(1 / 20, abs=0.006)  # Beta(2, 2): 1 / (4 * 5)


def test_fit_learns_from_mixed_images_and_repeats_itself():
    data = load_data("digits")
    runs = []
    for _ in range(2):
        model = create_model("sign_mlp", seed=0, shape=(1, 8, 8), hidden=(64,))
        recipe = Recipe(epochs=2, lr=5e-3, augment=Augment(mixup=0.2, cutmix=1.0))
        runs.append(fit(model, data, recipe=recipe, progress=False))
    assert runs[0].history == runs[1].history and runs[0].val_accuracy > 60


def test_cutmix_of_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match=r"cutmix needs images.*shape \(4, 7\)"):
        mix(torch.zeros(4, 7), Augment(cutmix=1.0), torch.Generator())
