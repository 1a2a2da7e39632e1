"""Which device "auto" is, on machines that have this or that."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.train.steps import pick_device  # noqa: E402


@pytest.mark.parametrize("cuda, mps, chosen", [(True, False, "cuda"), (False, True, "cpu"), (False, False, "cpu")])
def test_auto_is_a_device_that_can_train(monkeypatch, cuda, mps, chosen):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert pick_device("auto").type == chosen
    with pytest.raises(ValueError, match="no float64"):
        pick_device("mps")
