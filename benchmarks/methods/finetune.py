"""ResNet-20 on CIFAR-10 from published float weights, weights of one bit, 5 epochs.

`python -m benchmarks.methods.finetune`, resumable at any moment; one epoch is minutes on a CPU, and `--measure` says
how many. Accuracies are of the frozen Programs, on the test set.
"""

from benchmarks.methods.long_runs import LongRuns
from benchmarks.methods.variants import OURS

START = "resnet20-12fca82f"


def network(method: str, seed: int):
    """ResNet-20 with all weights of one bit by this method or searched pair, begun with the float weights."""
    from benchmarks.methods.compare import parts_of
    from bitwright.models import create_model
    from bitwright.train.float_start import start_from_float

    parts = parts_of(method, "BW")
    model = create_model("resnet20", seed=seed, form="standard", quantizer="relu", binary_ends=True, scale="channel",
                         weight_quantizer=parts["weight_quantizer"])  # fmt: skip
    start_from_float(model, START)
    return model


RUNS = LongRuns(
    name="finetune",
    results="pretrained-bw",
    methods=("bnn", "bc", "parq", "bnn+", "bnn++", OURS),
    network=network,
    fields={"batch_size": 128, "optimizer": "adam", "lr": 1e-3, "schedule": "cosine", "clip_latent": 1.0,
            "augment": {"shift": 4.0, "flip": True}, "batchnorm_batches": 50, "eval_every": 1},
    epochs=5,
    seeds=3,
    base="bnn",
    freezes=True,
)  # fmt: skip

if __name__ == "__main__":
    RUNS.main(__doc__ or "")
