"""What the papers of the four families report, beside what our recipes give: the rows of `bitwright papers`.

A figure is one of three kinds: read in the paper ("paper"), read in or computed from what its authors released
("code"), or told by somebody else ("second-hand"). Figures that we know only by memory are not here.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from bitwright.bench.results import read_results, summarize_seeds

FLOAT = (0, "")
SMALL = "no recipe at this length; small networks in methods-results.md"
NO_DATA = "not reproduced: no data"  # ImageNet


@dataclass(frozen=True)
class Published:
    """figure: as reported, percent of the test set. ours: the recipe that answers it; "" where none can.

    embedded: (hyperdimensions, projection) of the Program that answers it, of networks embedded at random; FLOAT
    for their float networks. corrected: its offsets were corrected on unlabelled images. study: the file of results/,
    without .json, in which `ours` is a method.
    """

    what: str
    figure: str
    kind: str
    ours: str = ""
    note: str = ""
    embedded: tuple[int, str] | None = None
    corrected: bool = False
    study: str = ""


GNET = "G-Net / EHD G-Net (NeurIPS 2025, arXiv:2511.21063)"
NOTES = {  # below a paper's table
    GNET: "Bits are those of weights/activations/projections/sums, of floats 32/32/none/32. Ours, embedded: weights "
    "are codes of 1 bit, activations behind RASU integers of 8 bits and behind TASU 1 bit, pixels 8, rows of "
    "projections come from a seed, sums lie within -N and N (held as int32). Theirs, embedded: codes of 1 bit, "
    "activations behind RASU integers within N and behind TASU 1 bit, Gaussian rows and all arithmetic in float16.",
}

PAPERS: dict[str, tuple[Published, ...]] = {
    "PC++ / BNN++ (Lu et al., NeurIPS 2023, arXiv:2402.17710)": (
        Published("the paper's tables", "-", "not available to us", "", "its text could not be had; neighbours below"),
        Published("ResNet-20, CIFAR-10, 1-bit weights, BinaryConnect (in PARQ)", "89.56", "paper", "cifar_bw_bc"),
        Published("the same (ours: 5 epochs)", "89.56", "paper", "bc", study="pretrained-bw"),
        Published("the same, BinaryRelax (in PARQ)", "89.98", "paper", "cifar_bw_binaryrelax"),
        Published("the same, PARQ", "90.48", "paper", "cifar_bw_parq"),
        Published("the same, PARQ (ours: 5 epochs)", "90.48", "paper", "parq", study="pretrained-bw"),
        Published("the same, BNN++", "-", "not available to us", "cifar_bw_bnnpp"),
        Published("the same, BNN++ (ours: 5 epochs)", "-", "not available to us", "bnn++", study="pretrained-bw"),
    ),
    "FDA-BNN (Xu et al., NeurIPS 2021, arXiv:2103.00841)": (
        Published("ResNet-20, CIFAR-10, baseline (DoReFa)", "84.44", "paper", "cifar_fda_baseline"),
        Published("the same (ours: 60 epochs)", "84.44", "paper", "cifar_fda60_baseline"),
        Published("the same with the sine gradient", "85.83", "paper", "cifar_fda_sine"),
        Published("the same with the sine gradient (ours: 60 epochs)", "85.83", "paper", "cifar_fda60_sine"),
        Published("the same with sine and noise adaptation module", "86.20", "paper", "cifar_fda"),
        Published("the same with both (ours: 60 epochs)", "86.20", "paper", "cifar_fda60"),
        Published("VGG-small, CIFAR-10", "92.54", "paper", "cifar_fda_vgg"),
        Published("ResNet-18, ImageNet", "60.2", "paper", "", NO_DATA),
        Published("AlexNet, ImageNet", "46.2", "paper", "", NO_DATA),
    ),
    "Other methods, ResNet-20 on CIFAR-10, weights and activations of one bit": (
        Published("DoReFa (Zhou et al. 2016), in FDA-BNN's table", "84.44", "paper", "cifar_fda_baseline"),
        Published("XNOR-Net (Rastegari et al. 2016), in FDA-BNN's table", "85.23", "paper", "", SMALL),
        Published("DSQ (Gong et al. 2019), in FDA-BNN's table", "84.11", "paper", "", SMALL),
        Published("BNN+ (Darabi et al. 2018), in FDA-BNN's ablation", "84.59", "paper", "", SMALL),
        Published("IR-Net (Qin et al. 2020), in FDA-BNN's table", "85.40", "paper", "", SMALL),
        Published("IR-Net, two shortcuts a block", "86.5", "code", "", SMALL),
        Published("RBNN (Lin et al. 2020), two shortcuts a block", "87.8", "code", "", SMALL),
        Published("ReCU (Xu et al. 2021), two shortcuts a block; ours taught by a float ResNet-18", "87.5", "code",
                  "cifar_best_resnet20"),
        Published("the same (ours: 60 epochs, not taught)", "87.5", "code", "cifar_best60_resnet20"),
        Published("SiMaN (Lin et al. 2022)", "87.4", "code", "", SMALL),
        Published("AdaBin (Tu et al. 2022), two shortcuts a block", "88.1", "code", "", SMALL),
        Published("ReSTE (Wu et al. 2023), two shortcuts a block", "87.92", "code", "", SMALL),
        Published("BiPer (Vargas et al. 2024), two shortcuts a block", "87.5", "code", "", SMALL),
        Published("Bi-Real net (Liu et al. 2018), ResNet-18, ImageNet", "56.4", "paper", "", NO_DATA),
        Published("ReActNet (Liu et al. 2020), ResNet-18, ImageNet", "65.5", "paper", "", NO_DATA),
    ),
    "Logic gate networks (Petersen et al., NeurIPS 2022, arXiv:2210.08277)": (
        Published("MONK-1, 144 gates", "100", "second-hand", "monk1_logic"),
        Published("MNIST, 48,000 gates", "97.69 ± 0.11", "second-hand", "mnist_logic"),
        Published("MNIST, 384,000 gates", "98.47 ± 0.05", "second-hand", "mnist_logic_large"),
        Published("the same (ours: 256,000 gates, a short run)", "98.47 ± 0.05", "second-hand", "mnist_logic_384k"),
        Published("CIFAR-10, 48,000 gates", "51.27 ± 0.26", "second-hand", "cifar_logic_small"),
        Published("the same (ours: the first layer chooses its inputs)", "51.27 ± 0.26", "second-hand", "cifar_logic"),
        Published("CIFAR-10, 512,000 gates", "57.39 ± 0.13", "second-hand", "cifar_logic_medium"),
        Published("the same (ours: a very short run)", "57.39 ± 0.13", "second-hand", "cifar_logic_512k"),
        Published("Breast Cancer, 640 gates", "76.1", "second-hand", "breast_cancer_logic"),
    ),
    "Convolutional logic gate networks (Petersen et al., NeurIPS 2024, arXiv:2411.04732)": (
        Published("MNIST, 147 thousand gates with adders", "98.21 ± 0.31", "paper", "mnist_logic_conv"),
        Published("CIFAR-10, 0.40 million gates", "60.38", "paper", "cifar_logic_conv"),
    ),
    GNET: (
        Published("MNIST, float, RASU", "99.35", "code", "mnist_gnet", "", FLOAT),
        Published("MNIST, float, TASU", "99.15", "code", "mnist_gnet_tasu", "", FLOAT),
        Published("MNIST, RASU, Gaussian, N = 10,000", "98.81", "code", "mnist_gnet", "", (10000, "gaussian")),
        Published("MNIST, RASU, Gaussian, N = 2,000 (ours: trained with noise, two-round Hadamard rows, N = 2,047)",
                  "95.24", "code", "mnist_gnet_noise", "", (2047, "hadamard")),
        Published("the same (ours: also offsets corrected on 500 unlabelled images)",
                  "95.24", "code", "mnist_gnet_noise", "", (2047, "hadamard"), True),
        Published("MNIST, RASU, Gaussian, N = 1,000 (ours: the same at N = 1,023)",
                  "85.00", "code", "mnist_gnet_noise", "", (1023, "hadamard")),
        Published("the same (ours: also offsets corrected)",
                  "85.00", "code", "mnist_gnet_noise", "", (1023, "hadamard"), True),
        Published("MNIST, TASU, Gaussian, N = 5,000 (ours: two-round Hadamard rows, N = 4,095)",
                  "94.22", "code", "mnist_gnet_tasu", "", (4095, "hadamard")),
        Published("the same (ours: also offsets corrected)",
                  "94.22", "code", "mnist_gnet_tasu", "", (4095, "hadamard"), True),
        Published("Fashion-MNIST, float, RASU", "92.63", "code", "fashion_gnet", "", FLOAT),
        Published("Fashion-MNIST, RASU, Gaussian, N = 25,000 (ours: two-round Hadamard rows, N = 2,047)",
                  "91.14", "code", "fashion_gnet", "", (2047, "hadamard")),
        Published("Epilepsy, float, RASU (ours: another split)", "95.65", "code", "epilepsy_mixed_gnet", "", FLOAT),
        Published("CIFAR-10, float, RASU", "84.85", "code", "cifar_gnet", "", FLOAT),
        Published("the same (ours: wider, a third convolution)", "84.85", "code", "cifar_gnet_wide", "", FLOAT),
        Published("the same (ours: on a CPU, a third convolution)", "84.85", "code", "cifar_gnet_cpu", "", FLOAT),
        Published("CIFAR-10, RASU, Gaussian, N = 51k, 26k, 55k, 8k (ours: that network, Hadamard rows, N = 4,095)",
                  "81.49", "code", "cifar_gnet_cpu", "", (4095, "hadamard")),
        Published("the same (ours: also offsets corrected)",
                  "81.49", "code", "cifar_gnet_cpu", "", (4095, "hadamard"), True),
    ),
}  # fmt: skip


def say_what_is_shown(results: Path) -> None:
    """A word on stderr where there is no such folder, as behind an installed package."""
    if not results.is_dir():
        print(f"no folder {results} here, so of ours nothing is shown; --results names it", file=sys.stderr)


def papers_rows(results: Path) -> Iterator[tuple[str, Published, str, str]]:
    """(paper, published row, ours in words, recipe and schedule) for every row."""
    for paper, rows in PAPERS.items():
        for row in rows:
            ours, fields = _ours(row, results)
            source = f"`{row.ours}`" + f" in `results/{row.study}.json`" * bool(row.study)
            yield paper, row, ours or row.note or "not run yet", f"{source}, {_schedule(fields)}" if ours else ""


def _ours(row: Published, results: Path) -> tuple[str, dict[str, Any]]:
    """(what we got in words, the recipe's fields); ("", {}) where nothing was run."""
    if row.study:
        return _study(results / f"{row.study}.json", row.ours)
    if row.embedded:
        paths = sorted((results / "gnet").glob(f"{row.ours}-seed*.json"))
        runs = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        if ours := _embedded(runs, *row.embedded, corrected=row.corrected):
            bits = "" if row.embedded == FLOAT else f"; bits {_bits(runs[0], row.embedded[0])}"
            return ours + bits, runs[0]["recipe_fields"]
        if row.embedded != FLOAT:
            return "", {}
    if not row.ours or not (runs := read_results(row.ours, results)):
        return "", {}
    if row.embedded:  # its float network, evaluated as any other
        return _mean([run.get("model_accuracy") or 0.0 for run in runs]), runs[0]["recipe_fields"]
    return str(summarize_seeds(row.ours, results)), runs[0]["recipe_fields"]


def _embedded(tables: list[dict[str, Any]], hyperdimensions: int, projection: str, corrected: bool = False) -> str:
    """The test rows of one length as they were frozen, over trainings and draws of the projection; "" if none."""
    asked = {"split": "test"} | ({"hyperdimensions": hyperdimensions, "projection": projection} if projection else {})
    runs = [[row for row in table["rows"] if asked.items() <= row.items() and bool(row.get("corrected")) == corrected]
            for table in tables]  # fmt: skip
    runs = [rows for rows in runs if rows]
    if not runs:
        return ""
    seen = [row["accuracy"] for rows in runs for row in rows] if projection else [r[0]["model_accuracy"] for r in runs]
    draws = f" x {len(runs[0])} projections" if projection else ""
    return _mean(seen, f"{len(runs)} seed{'s' * (len(runs) != 1)}{draws}")


def _bits(table: dict[str, Any], n: int) -> str:
    """weights/activations/projections/sums of a network embedded with n signs a layer."""
    signs = table.get("recipe_fields", {}).get("model_options", {}).get("activation") == "tasu"
    return f"1/{1 if signs else 8}/seed/{n.bit_length() + 1}"


def _study(path: Path, method: str) -> tuple[str, dict[str, Any]]:
    """As _ours, of one method of a study of several."""
    if not path.exists():
        return "", {}
    study = json.loads(path.read_text(encoding="utf-8"))
    seen = [run["test_accuracy"] for run in study["runs"] if run["method"] == method]
    return (_mean(seen), study["recipe"]) if seen else ("", {})


def _mean(seen: list[float], of: str = "") -> str:
    """Mean and sample standard deviation. of: what was counted; seeds if it is not said."""
    of = of or f"{len(seen)} seed{'s' * (len(seen) != 1)}"
    return f"{fmean(seen):.2f}" + (f" ± {stdev(seen):.2f}" if len(seen) > 1 else "") + f" % ({of})"


def _schedule(fields: dict[str, Any]) -> str:
    return f"{fields['epochs']} epochs of {fields['batch_size']}, {fields['optimizer']} {fields['lr']:g}"


def papers_table(results: Path) -> str:
    """A table a paper, in Markdown."""
    lines: list[str] = []
    last = ""
    for paper, row, ours, recipe in papers_rows(results):
        if paper != last:
            lines += ["", NOTES[last]] if last in NOTES else []
            lines += [""] * bool(lines) + [f"### {paper}", "", "| what | published | known from | ours | recipe |",
                                           "| --- | --- | --- | --- | --- |"]  # fmt: skip
            last = paper
        lines.append(f"| {row.what} | {row.figure} | {row.kind} | {ours} | {recipe} |")
    lines += ["", NOTES[last]] if last in NOTES else []
    return "\n".join(lines)
