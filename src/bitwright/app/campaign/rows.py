"""The rows of the campaign in order of worth; each is recipes in `recipes/campaign/`, run over seeds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """recipes: names of TOML files, the first being the one the bar is about. bar, aim: percent of the test set.

    device: "gpu" for schedules that a CPU would need days for, else "cpu". paper: what the paper reports, percent.
    """

    key: str
    what: str
    recipes: tuple[str, ...]
    seeds: int = 3
    bar: float | None = None
    aim: float | None = None
    paper: str = ""
    device: str = "gpu"


ROWS: tuple[Row, ...] = (
    Row("fda", "FDA, ResNet-20, one shortcut a block, and its ablation",
        ("cifar_fda", "cifar_fda_baseline", "cifar_fda_sine"), bar=86.2, aim=87.5, paper="84.4 / 85.8 / 86.2"),
    Row("resnet20", "our best ResNet-20 of bits, two shortcuts a block", ("cifar_best_resnet20",), bar=88.3, aim=89.0),
    Row("weights", "ResNet-20, weights of one bit from published float weights",
        ("cifar_bw_parq", "cifar_bw_pair", "cifar_bw_bc", "cifar_bw_bnnpp_mean", "cifar_bw_bnnpp_fixed",
         "cifar_bw_binaryrelax", "cifar_bw_bnnpp"), bar=90.5, aim=91.5),
    Row("vgg", "VGG-small of bits: FDA, and our best", ("cifar_best_vgg", "cifar_fda_vgg"), bar=92.5, aim=93.5),
    Row("narrow", "ResNet-20 of bits by four methods, and with sums of 8 bits",
        ("cifar_bwa_bc", "cifar_bwa_parq", "cifar_bwa_bnnpp", "cifar_bwa_pair",
         "cifar_bwaa_bc", "cifar_bwaa_parq", "cifar_bwaa_bnnpp", "cifar_bwaa_pair"), seeds=1),
    Row("vit", "a small vision transformer: weights of one bit, and activations too, beside its float network",
        ("cifar_vit_bw", "cifar_vit_bw_bnnpp", "cifar_vit_bw_bnnpp_mean", "cifar_vit_bw_pair", "cifar_vit_bwa",
         "cifar_vit_float")),
    Row("logic", "logic gates, dense: 512,000 and 48,000 of them",
        ("cifar_logic_best", "cifar_logic_medium", "cifar_logic_small"), bar=58.0, aim=62.0,
        paper="57.39 / 51.27 of the others, second-hand"),
    Row("logic-conv", "logic gates, convolutional: at most a million of them",
        ("cifar_logic_conv_wide", "cifar_logic_conv"), seeds=1, bar=66.0, aim=72.0, paper="60.38 of the second"),
    Row("gnet", "G-Net as codes of at most 4,095 signs", ("cifar_gnet_wide", "cifar_gnet"), bar=80.0, aim=84.0),
    Row("fda-cpu", "FDA from scratch in 60 epochs, and its ablation",
        ("cifar_fda60", "cifar_fda60_sine", "cifar_fda60_baseline"), seeds=1, device="cpu"),
    Row("resnet20-cpu", "our best ResNet-20 of bits in 60 epochs", ("cifar_best60_resnet20",), seeds=1, device="cpu"),
)  # fmt: skip


def find_rows(keys: list[str] | None = None, device: str | None = None) -> list[Row]:
    """The rows named, in the order of the table; without names those of the device ("gpu" rows too where there is one).

    Raises ValueError for a key that is no row.
    """
    known = {row.key: row for row in ROWS}
    unknown = [key for key in keys or [] if key not in known]
    if unknown:
        raise ValueError(f"campaign: no row {unknown[0]!r}; rows: {', '.join(known)}")
    if keys:
        return [row for row in ROWS if row.key in keys]
    return [row for row in ROWS if device in (None, "gpu") or row.device == device]
