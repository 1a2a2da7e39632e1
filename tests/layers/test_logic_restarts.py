"""Nets side by side: apart from each other, chosen by training rows, and in the Program as the chosen one alone."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from torch.nn import functional as F  # noqa: E402

from bitwright.data import load_data  # noqa: E402
from bitwright.freeze import freeze  # noqa: E402
from bitwright.layers import LogicLinear, LogicRestarts  # noqa: E402
from bitwright.models import create_model  # noqa: E402
from bitwright.train import fit  # noqa: E402
from bitwright.train.recipe import Recipe  # noqa: E402
from bitwright.train.steps import loss_of  # noqa: E402


def test_each_net_learns_as_if_it_were_alone():
    torch.manual_seed(0)
    nets, x, y = LogicRestarts(7, [6, 4], 2, 3, tau=2.0, residual=False), torch.rand(20, 7), torch.randint(2, (20,))
    scores = nets(x)
    assert scores.shape == (20, 3, 2)
    loss_of(scores, y, None, Recipe()).backward()
    layers = [layer for layer in nets.nets if isinstance(layer, LogicLinear)]
    together = [layer.tables.params.grad.clone() for layer in layers]
    for net in range(3):
        nets.zero_grad()
        F.cross_entropy(nets(x)[:, net], y).backward()
        for layer, grad in zip(layers, together, strict=True):
            width = layer.out_features // 3
            own = slice(net * width, (net + 1) * width)
            torch.testing.assert_close(layer.tables.params.grad[own], grad[own], rtol=1e-4, atol=1e-7)
            assert int(layer.tables.params.grad.abs().sum(1).count_nonzero()) <= width


def test_the_best_on_the_rows_is_chosen_and_frozen_alone(tmp_path):
    data = load_data_or_skip()
    model = create_model("logic_mlp", seed=0, shape=[17], classes=2, widths=[24, 24], thresholds=[0.5], tau=1.0,
                         n_restarts=12, residual=False)  # fmt: skip
    result = fit(model, data, epochs=60, lr=0.05, batch_size=200, eval_every=60, progress=False)
    nets = next(m for m in result.model.modules() if isinstance(m, LogicRestarts))
    bits = torch.from_numpy(data.x_train).float()
    with torch.no_grad():
        right = (nets.all_scores(bits).argmax(2).numpy() == data.y_train[:, None]).sum(0)
    assert right[int(nets.chosen)] == right.max() > right.min()
    with torch.no_grad():
        scores = nets.train().all_scores(bits)
    nets.eval()
    losses = [float(F.cross_entropy(scores[:, net], torch.from_numpy(data.y_train))) for net in range(12)]
    assert losses[int(nets.chosen)] == pytest.approx(min(np.array(losses)[right == right.max()]))
    program = freeze(result.model, input=data)
    assert (program.predict(data.x_train) == data.y_train).sum() == right.max()
    assert sum(len(op.consts["table"]) for op in program.ops if op.name == "lut") <= 48
    other = create_model("logic_mlp", seed=1, shape=[17], classes=2, widths=[24, 24], thresholds=[0.5], tau=1.0,
                         n_restarts=12, residual=False)  # fmt: skip
    other.load_state_dict(result.model.state_dict())
    x = torch.from_numpy(np.ascontiguousarray(data.x_test)).float()
    assert torch.equal(other.eval()(x), result.model(x))


def test_where_labels_lie_many_equal_nets_outweigh_a_lucky_one(monkeypatch):
    y = torch.tensor([0, 1, 0, 1, 1, 0, 1, 0, 0, 1])
    answers = y.repeat(6, 1)  # nets 0..3 contradict two labels, all in the same way; net 4 none; net 5 one
    answers[:4, :2] = 1 - answers[:4, :2]
    answers[5, 3] = 0
    scores = F.one_hot(answers.T, 2).float()
    for noise, chosen in (0.0, [4]), (0.05, [4]), (0.3, [0, 1, 2, 3]):
        nets = LogicRestarts(5, [4], 2, 6, label_noise=noise)
        monkeypatch.setattr(nets, "all_scores", lambda x: scores)
        nets.settle(torch.zeros(10, 5), y)
        assert int(nets.chosen) in chosen


def load_data_or_skip():
    from bitwright.data import is_present

    if not is_present("monk1"):
        pytest.skip("needs MONK-1; set BITWRIGHT_DATA")
    return load_data("monk1")


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="n_nets 0"):
        LogicRestarts(5, [4], 2, 0)
    with pytest.raises(ValueError, match="label_noise"):
        LogicRestarts(5, [4], 2, 3, label_noise=0.5)
    with pytest.raises(ValueError, match="learned"):
        LogicRestarts(5, [4], 2, 3, wiring="learned")
    with pytest.raises(ValueError, match="equal groups"):
        LogicRestarts(5, [5], 2, 3)
    with pytest.raises(ValueError, match="n_restarts"):
        create_model("logic_mlp", shape=[5], classes=2, widths=[4], n_restarts=2, harden_from=0.5)
