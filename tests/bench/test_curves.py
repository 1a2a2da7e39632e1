"""Learning curves: what a result keeps of a training, and the figures made of it, against numbers set here."""

import xml.etree.ElementTree as ElementTree

from bitwright.bench import write_result
from bitwright.bench.curves import learning_curves
from bitwright.bench.evaluate import CURVE_POINTS, learning_curve
from bitwright.bench.report import main
from bitwright.bench.results import FIELDS


def put(folder, recipe, seed, curve):
    result = dict.fromkeys(FIELDS, 0) | {"recipe": recipe, "seed": seed, "data": "mnist", "curve": curve}
    write_result(result, folder)


def test_a_long_training_keeps_few_points_and_the_last():
    history = [{"epoch": e, "loss": 1 / e, "lr": 0.1, "val_accuracy": None if e % 2 else 90.0} for e in range(1, 335)]
    curve = learning_curve(history)
    assert len(curve) <= CURVE_POINTS and curve[-1] == [334, round(1 / 334, 4), 90.0]
    gaps = {b[0] - a[0] for a, b in zip(curve, curve[1:], strict=False)}
    assert len(gaps) == 1
    assert learning_curve(history[:3]) == [[1, 1.0, None], [2, 0.5, 90.0], [3, 0.3333, None]]
    assert learning_curve([]) == []


def test_means_over_seeds_at_epochs_that_all_have(tmp_path):
    put(tmp_path, "net", 0, [[1, 0.5, 80.0], [2, 0.4, 90.0], [4, 0.3, 94.0]])
    put(tmp_path, "net", 1, [[1, 0.5, 82.0], [2, 0.4, None], [4, 0.3, 96.0]])
    put(tmp_path, "blind", 0, [[1, 0.5, None], [2, 0.4, None]])
    figures = learning_curves(["net", "blind"], tmp_path)
    assert list(figures) == ["curves-mnist.svg"]
    root = ElementTree.fromstring(figures["curves-mnist.svg"])
    lines = [e.attrib["points"].split() for e in root.iter() if e.tag.endswith("polyline")]
    assert len(lines) == 1 and len(lines[0]) == 2  # epochs 1 and 4
    (x1, y1), (x4, y4) = ([float(v) for v in point.split(",")] for point in lines[0])
    height = 400 - 40 - 50  # y from 85 to 100, so that 81 lies at the floor and 95 at two thirds
    assert (x4, y4) == (620.0, round(350 - height * 10 / 15, 1)) and y1 == 350.0 and x1 == 60.0
    assert "blind" not in figures["curves-mnist.svg"]


def test_the_report_writes_figures_beside_the_page(tmp_path):
    put(tmp_path, "net", 0, [[1, 0.5, 80.0], [2, 0.4, 90.0]])
    page = tmp_path / "page.md"
    page.write_text("<!-- numbers: curves -->\n<!-- /numbers -->\n")
    arguments = [str(page), "--results", str(tmp_path)]
    assert main([*arguments, "--check"]) == 1 and not (tmp_path / "curves-mnist.svg").exists()
    assert main(arguments) == 0 and (tmp_path / "curves-mnist.svg").exists()
    assert "![learning curves](curves-mnist.svg)" in page.read_text() and main([*arguments, "--check"]) == 0
    (tmp_path / "curves-mnist.svg").write_text("old")
    assert main([*arguments, "--check"]) == 1
