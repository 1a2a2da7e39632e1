"""A small vision transformer on CIFAR-10 from scratch: real, weights of one bit by three methods, activations too.

`python -m benchmarks.methods.vit`, resumable at any moment: patches of 8, width 128, 4 blocks of 4 heads, 12 epochs, a
stated schedule for a CPU. Judged on the test set; a transformer does not freeze, so accuracies are PyTorch's,
of projected weights.
"""

from typing import Any

from benchmarks.methods.long_runs import LongRuns
from benchmarks.methods.variants import OURS

FLOAT, BOTH = "float", "bc + activations"


def network(method: str, seed: int):
    """The transformer with the weights of its blocks by this method or searched pair; FLOAT: real. BOTH: BinaryConnect,
    with activations by ApproxSign."""
    from benchmarks.methods.compare import parts_of
    from bitwright.models import create_model

    options: dict[str, Any] = {"patch": 8, "width": 128, "depth": 4, "heads": 4}
    if method == FLOAT:
        return create_model("vit", seed=seed, **options, weight_quantizer="real")
    quantizer = parts_of("bc" if method == BOTH else method, "BW")["weight_quantizer"]
    activations = {"quantizer": "approx_sign"} if method == BOTH else {}
    return create_model("vit", seed=seed, **options, **activations, weight_quantizer=quantizer, scale="channel")


RUNS = LongRuns(
    name="vit",
    results="vit",
    methods=(FLOAT, "bc", "bnn++", OURS, BOTH),
    network=network,
    fields={"batch_size": 128, "optimizer": "adamw", "lr": 1e-3, "warmup_epochs": 1, "schedule": "cosine",
            "weight_decay": 0.05, "label_smoothing": 0.1, "augment": {"shift": 4.0, "flip": True}, "eval_every": 2},
    epochs=12,
    seeds=1,
    base=FLOAT,
    freezes=False,
)  # fmt: skip

if __name__ == "__main__":
    RUNS.main(__doc__ or "")
