"""The limit model (1-bit activations, weights of few bits) handed over: C and Verilog against the interpreter."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from benchmarks.logic.exported import compare_c, compare_verilog  # noqa: E402
from bitwright.freeze import freeze  # noqa: E402
from bitwright.models import create_model  # noqa: E402
from tests.backends.exported import needs_tools  # noqa: E402


def limit_model(bits, size=9, **options):
    """A TASU net with shifts that are not 0, frozen to its limit, and images with empty parts."""
    sizes = {"channels": (4, 5), "kernels": (3, 3), "hidden": (12,), "dropout": 0.0} | options
    model = create_model("gnet", seed=1, shape=(1, size, size), activation="tasu", **sizes).eval()
    with torch.no_grad():
        for i, (name, shift) in enumerate(model.named_parameters()):
            if name.endswith(".shift") and not name.startswith("conv1"):
                shift.fill_((0.13, -0.07)[i % 2])
    x = np.random.default_rng(0).integers(0, 256, (100, 1, size, size)).astype(np.uint8)
    x[:30, :, : size // 2], x[0] = 0, 0
    return freeze(model, x, limit_bits=bits), x


@needs_tools("gcc")
@pytest.mark.parametrize("bits, lanes", [(4, 0), (4, 64), (8, 0), (16, 0)])
def test_c_gives_the_interpreters_scores(bits, lanes):
    program, x = limit_model(bits)
    scores = program.run(x, backend="interpreter")
    assert {op.weight_dtype for op in program.ops if "w" in op.consts} == {f"i{bits}"}
    assert len(np.unique(scores.argmax(1))) > 1 and len(np.unique(scores)) > 100
    found = compare_c(program, x, scores, "gcc", "-O1", lanes)
    assert (found.differing, found.compared) == (0, scores.size)


@needs_tools("iverilog", "vvp")
@pytest.mark.parametrize("pipeline", [0, 3])
def test_verilog_gives_the_interpreters_scores(pipeline):
    program, x = limit_model(4, 6, channels=(2,), kernels=(3,), hidden=(6,), classes=3)
    found = compare_verilog(program, x[20:45], pipeline)
    assert (found.differing, found.compared) == (0, 25)
