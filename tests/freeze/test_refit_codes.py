"""Codes refit as real weights: the paper's head by its formula, layer after layer, and nothing else changed."""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")
from small_gnets import conv_net, linear_net, only_codes_differ  # noqa: E402

from bitwright.data import load_data  # noqa: E402
from bitwright.freeze import correct_offsets, freeze  # noqa: E402
from bitwright.freeze.refit_codes import _RealHead, refit_codes, unit_rows  # noqa: E402
from bitwright.freeze.tail import find_tail, stored_values  # noqa: E402
from bitwright.layers import RASU, TASU  # noqa: E402


@pytest.fixture(scope="module")
def digits():
    return load_data("digits")


@pytest.mark.parametrize("activation", [RASU, TASU])
def test_refitting_helps_and_changes_nothing_else(digits, activation):
    program = freeze(linear_net(activation), digits, hyperdimensions=[301, 255], projection="gaussian")
    x, y = digits.x_train[:400], digits.y_train[:400]
    before = (program.predict(x) == y).mean()
    for layers in (1, 2):
        seen = []
        refit = refit_codes(program, x, y, layers, 8, 1e-2, batch_size=32, progress=lambda *a, to=seen: to.append(a))
        after = (refit.predict(x) == y).mean()
        assert before < 0.4 and after > 0.6, (layers, before, after)
        assert only_codes_differ(program, refit, layers) and refit.verify(x[:30]).ok
        assert refit.header["refit_layers"] == layers
        assert [epoch for epoch, _ in seen] == [*range(8 * layers)] and seen[-8][1] > seen[-1][1]


@pytest.mark.parametrize("activation", ["rasu", "tasu"])
def test_convolutions_are_refit_first_to_last_on_what_the_others_send(digits, activation, monkeypatch):
    program = freeze(conv_net(activation), digits, hyperdimensions=[63, 95, 129, 65])
    x, y = digits.x_train[:200], digits.y_train[:200]
    asked = []

    def stored(so_far, number, samples):
        changed = [i for i, (a, b) in enumerate(zip(program.ops, so_far.ops)) if a is not b]
        asked.append((number, changed))
        return stored_values(so_far, number, samples)

    monkeypatch.setattr(sys.modules[refit_codes.__module__], "stored_values", stored)
    refit = refit_codes(program, x, y, layers=4, epochs=7, lr=1e-2, batch_size=20)
    assert (refit.predict(x) == y).mean() > (program.predict(x) == y).mean() + 0.05
    assert only_codes_differ(program, refit, 4) and refit.verify(x[:10]).ok
    sums = find_tail(program, 4, "test").sums
    starts = [find_tail(program, left, "test").start for left in (4, 3, 2, 1)]
    assert asked == [(start, list(sums[:k])) for k, start in enumerate(starts)]


def test_the_real_head_is_the_papers(digits):
    """One step of plain gradient from the same start: softmax of W c / sqrt(N), then signs of W."""
    program = freeze(linear_net(TASU), digits, hyperdimensions=[65, 31])
    tail = find_tail(program, 1, "test")
    stored = stored_values(program, tail.start, digits.x_train[:20])
    head, y = _RealHead(program, tail, seed=3), digits.y_train[:20]
    start = head.weight.detach().numpy().astype(float)
    assert np.abs(start).max() <= (6 / (31 + 10)) ** 0.5 and start.std() > 0.1  # Xavier, uniform
    torch.nn.functional.cross_entropy(head(stored), torch.from_numpy(y).long()).backward()
    c = 2.0 * stored.numpy() - 1
    logits = c @ start.T / 31**0.5
    soft = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    slope = (soft - np.eye(10)[y]).T @ c / 31**0.5 / 20
    assert head.weight.grad is not None and np.allclose(head.weight.grad.numpy(), slope, atol=1e-5)
    assert (head.codes()[tail.sums[0]] == (start >= 0)).all()


def test_rows_of_real_weights_keep_the_size_of_codes():
    rows = unit_rows(torch.tensor([[0.2, -0.4, 0.6], [-3.0, 3.0, 3.0]]))
    assert torch.allclose(rows, torch.tensor([[0.5, -1.0, 1.5], [-1.0, 1.0, 1.0]]))


def test_offsets_of_the_old_head_go_with_it(digits):
    model = linear_net(RASU)
    program = correct_offsets(freeze(model, digits, hyperdimensions=[95, 65]), model, digits.x_train[:60])
    refit = refit_codes(program, digits.x_train[:90], digits.y_train[:90], layers=2, epochs=1)
    (hidden, head), (same, gone) = [[op.consts["b"] for op in p.ops if op.name == "add"] for p in (program, refit)]
    assert (hidden == same).all() and (head != 0).any() and (gone == 0).all()


def test_errors(digits):
    program = freeze(linear_net(RASU), digits, hyperdimensions=65)
    with pytest.raises(ValueError, match="refit_codes: layers is 3; this Program has 2 embedded"):
        refit_codes(program, digits.x_train, digits.y_train, layers=3)
    with pytest.raises(ValueError, match="refit_codes: 9 samples, 8 labels"):
        refit_codes(program, digits.x_train[:9], digits.y_train[:8])
