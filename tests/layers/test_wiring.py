"""Wirings: who is read how often, and that no gate reads what it should not."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.layers.learned_wiring import LearnedWiring  # noqa: E402
from bitwright.layers.wiring import WIRINGS, balanced_wiring, check_wiring, unique_wiring  # noqa: E402

SIZES = [(17, 24, 2), (784, 1000, 2), (50, 40, 4), (6, 30, 6), (3, 3, 2)]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("name", [name for name in WIRINGS if name != "unique"])
@pytest.mark.parametrize("sizes", SIZES)
def test_shape_range_and_seed(name, sizes):
    inputs, gates, k = sizes
    wiring = WIRINGS[name](inputs, gates, k)
    assert wiring.shape == (k, gates) and wiring.dtype == torch.int32
    assert 0 <= int(wiring.min()) and int(wiring.max()) < inputs
    torch.manual_seed(0)
    assert torch.equal(WIRINGS[name](inputs, gates, k), wiring)


@pytest.mark.parametrize("name", ["random", "balanced"])
@pytest.mark.parametrize("sizes", SIZES[:3])
def test_fan_out_is_even(name, sizes):
    inputs, gates, k = sizes
    reads = torch.bincount(WIRINGS[name](inputs, gates, k).flatten().long(), minlength=inputs)
    assert int(reads.max() - reads.min()) <= 1 and int(reads.min()) >= k * gates // inputs


@pytest.mark.parametrize("sizes", SIZES)
def test_balanced_gates_read_distinct_inputs(sizes):
    wiring = balanced_wiring(*sizes)
    assert all(len(set(gate)) == sizes[2] for gate in wiring.T.tolist())


def test_balanced_gates_read_different_sets_where_there_are_enough():
    sets = [frozenset(gate) for gate in balanced_wiring(60, 700, 2).T.tolist()]
    assert len(set(sets)) == 700


def test_unique_takes_neighbours_then_their_neighbours_then_wider_steps():
    pairs = {tuple(gate) for gate in unique_wiring(6, 3).T.tolist()}
    assert pairs == {(0, 1), (2, 3), (4, 5)}
    pairs = {tuple(gate) for gate in unique_wiring(6, 5).T.tolist()}
    assert pairs == {(0, 1), (2, 3), (4, 5), (1, 2), (3, 4)}
    pairs = [tuple(gate) for gate in unique_wiring(6, 15).T.tolist()]
    assert set(pairs) == {(i, j) for i in range(6) for j in range(i + 1, 6)}
    steps = unique_wiring(784, 8000).long()
    assert int((steps[1] - steps[0]).max()) == 11  # what the first layer of 8,000 gates on MNIST's pixels reaches


def test_impossible_wirings_are_errors():
    with pytest.raises(ValueError, match="15, fewer than|fewer than 16 gates"):
        unique_wiring(6, 16)
    with pytest.raises(ValueError, match="reads 4 distinct"):
        balanced_wiring(3, 5, 4)
    with pytest.raises(ValueError, match="reads inputs 0..5"):
        check_wiring(torch.tensor([[0, 5], [1, 2]]), 5, 2, 2)
    with pytest.raises(ValueError, match="expected \\(k, out_features\\)"):
        check_wiring(torch.tensor([[0, 1, 2]]), 5, 2, 2)
    for wrong in (torch.rand(2, 2), torch.ones(2, 2, dtype=torch.bool)):
        with pytest.raises(ValueError, match="expected integers"):
            check_wiring(wrong, 5, 2, 2)


@pytest.mark.parametrize("candidates", [4, 9])
def test_learned_wiring_mixes_then_chooses(candidates):
    layer, x = LearnedWiring(20, 15, 2, candidates), torch.rand(20, 7)
    assert all(len(set(row)) == candidates for row in layer.candidates.tolist())
    weights = layer.logits.T.softmax(1)
    want = torch.stack(
        [sum(w * x[i] for w, i in zip(*row, strict=True)) for row in zip(weights, layer.candidates, strict=True)]
    )
    torch.testing.assert_close(layer(x), want)
    layer.eval()
    assert torch.equal(layer(x), x[layer.wiring().flatten().long()])


def test_learned_wiring_finds_the_input_that_matters():
    layer = LearnedWiring(16, 1, 2, 16, hard=True)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(200):
        x = torch.randint(2, (16, 64)).float()
        optimizer.zero_grad()
        (layer(x) - x[[3, 11]]).square().mean().backward()
        optimizer.step()
    assert layer.eval().wiring().flatten().tolist() == [3, 11]


def test_weak_candidates_give_way_to_new_ones():
    layer = LearnedWiring(40, 6, 2, 5, resample_until=0.5)
    with torch.no_grad():
        layer.logits[3] += 9  # the strongest of every connection; the others hardly count
    before = layer.candidates.clone()
    layer.set_progress(0.6)
    layer.set_progress(0.0)
    assert torch.equal(layer.candidates, before)  # after the end, and before the first of 20 times
    layer.set_progress(0.1)
    assert torch.equal(layer.candidates[:, 3], before[:, 3]) and torch.equal(
        layer.logits.argmax(0), torch.full((12,), 3)
    )
    changed = layer.candidates != before
    assert changed[:, [0, 1, 2, 4]].float().mean() > 0.7 and all(
        len(set(row)) == 5 for row in layer.candidates.tolist()
    )
    behind = layer.logits.max(0).values[:, None] - layer.logits.T
    assert torch.allclose(behind[changed], torch.tensor(3.0))
    settled = layer.candidates.clone()
    layer.set_progress(0.11)
    assert torch.equal(layer.candidates, settled)  # one round, one draw; and newcomers are not weak yet
    with pytest.raises(ValueError, match="share of the training"):
        LearnedWiring(40, 6, 2, 5, resample_until=2)


def test_too_many_candidates_are_an_error():
    with pytest.raises(ValueError, match="expected 2..5"):
        LearnedWiring(5, 3, 2, 8)
