"""Augmentation: what each option may do to a picture of one bright pixel."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bitwright.train import Augment, augment


def one_pixel(batch=64, size=9):
    x = torch.zeros(batch, 1, size, size)
    x[:, 0, 4, 3] = 100.0
    return x


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_nothing_asked_nothing_done():
    x = torch.randn(3, 2, 5, 5)
    assert augment(x, Augment(), generator()) is x


def test_whole_shift_moves_whole_pictures_everywhere_in_reach():
    out = augment(one_pixel(512), Augment(shift=2.0), generator())
    places = {tuple((image[0] == 100).nonzero()[0].tolist()) for image in out}
    assert places == {(4 + i, 3 + j) for i in range(-2, 3) for j in range(-2, 3)}
    assert (out.sum((1, 2, 3)) == 100).all()


def test_what_is_shifted_in_is_zero():
    out = augment(torch.ones(256, 2, 4, 5), Augment(shift=1.0), generator())
    sums = set(out.sum((1, 2, 3)).tolist())
    assert sums == {2 * h * w for h in (3.0, 4.0) for w in (4.0, 5.0)}
    assert torch.equal(out[:, 0], out[:, 1])


def test_flip_mirrors_about_half():
    x = one_pixel(400)
    out = augment(x, Augment(flip=True), generator())
    kept = (out == x).all((1, 2, 3))
    assert (kept | (out == x.flip(3)).all((1, 2, 3))).all() and 140 < int(kept.sum()) < 260


def test_fractional_shift_keeps_the_mass_and_the_centre_in_reach():
    out = augment(one_pixel(), Augment(shift=1.5), generator())[:, 0].double().numpy()
    rows, columns = np.mgrid[:9, :9]
    np.testing.assert_allclose(out.sum((1, 2)), 100, rtol=1e-4)  # bilinear weights sum to one
    for image in out:
        down, right = (image * rows).sum() / 100 - 4, (image * columns).sum() / 100 - 3
        assert abs(down) <= 1.51 and abs(right) <= 1.51


def test_rotation_turns_about_the_middle_of_the_picture():
    x = torch.zeros(128, 1, 41, 41)
    x[:, 0, 20, 32] = 1.0
    out = augment(x, Augment(rotate=30.0), generator())[:, 0].double().numpy()
    rows, columns = np.mgrid[:41, :41]
    mass = out.sum((1, 2))
    y, z = (out * rows).sum((1, 2)) / mass - 20, (out * columns).sum((1, 2)) / mass - 20
    angles = np.degrees(np.arctan2(y, z))
    np.testing.assert_allclose(np.hypot(y, z), 12, atol=0.3)  # a pixel is spread over its neighbours
    assert np.abs(angles).max() <= 31 and angles.min() < -20 and angles.max() > 20


def test_erase_blanks_one_rectangle_at_the_rate_asked():
    out = augment(torch.ones(400, 1, 20, 20), Augment(erase=0.5), generator())
    hit = (out == 0).any(3).any(2).any(1)
    assert 140 < int(hit.sum()) < 260
    for image in out[hit]:
        hole = image[0] == 0
        rows, columns = hole.any(1).nonzero(), hole.any(0).nonzero()
        assert hole[rows[0, 0] : rows[-1, 0] + 1, columns[0, 0] : columns[-1, 0] + 1].all()


def test_noise_has_its_deviation_and_works_on_tables():
    out = augment(torch.zeros(200, 50), Augment(noise=3.0), generator())
    assert abs(float(out.std()) - 3) < 0.1 and abs(float(out.mean())) < 0.1
    with pytest.raises(ValueError, match="need .batch, C, H, W."):
        augment(torch.zeros(2, 50), Augment(flip=True), generator())


BENT = Augment(shift=2, rotate=9, scale=0.1, elastic=1, shear=0.1)


@pytest.mark.parametrize("options", [Augment(shift=1, flip=True), BENT])
def test_the_generator_decides_and_the_global_state_is_untouched(options):
    x = torch.randn(8, 1, 12, 12)
    state = torch.get_rng_state()
    first, again, other = (augment(x, options, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


class Moved(TorchDispatchMode):
    """Counts numbers that go from the CPU to another device."""

    def __init__(self):
        super().__init__()
        self.n = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func is torch.ops.aten._to_copy.default and args[0].device != out.device:
            self.n += out.numel()
        return out


def test_a_batch_is_bent_where_it_lies():
    """On a device without memory, so that whatever it is given is all that can be counted."""
    x, options = torch.empty(8, 3, 32, 32, device="meta"), Augment(rotate=5, scale=0.1, shift=2, elastic=1, flip=True)
    with Moved() as moved:
        out = augment(x, options, generator())
    assert out.device.type == "meta" and out.shape == x.shape
    assert moved.n <= 8 * (6 + 2 * 4 * 4 + 1)  # a map, control points and a coin for each image
