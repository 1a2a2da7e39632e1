"""G-Net's benchmark: costs counted by hand, errors of one layer against the formula, the page from results."""

import json

import numpy as np
import pytest

from benchmarks.claims import gnet as claims
from benchmarks.claims import gnet_accuracy, gnet_theory, gnet_ways
from benchmarks.claims.claim import NotMeasured
from benchmarks.gnet import hypervectors
from benchmarks.gnet.cost import cost_of
from benchmarks.gnet.page import page
from bitwright.app.campaign.rows import find_rows
from bitwright.data import load_data
from bitwright.ir import Builder
from bitwright.models.hypervectors import HypervectorClassifier


def test_cost_of_a_small_program_by_hand():
    b = Builder()
    x = b.patches(b.input("int", (3, 4, 5), 0, 9), (3, 3), padding=1)  # 27 numbers at 20 places
    bits = b.project(x, 70, "hadamard", 1, layer=0, rounds=2, t=np.arange(70))  # Q = 32: three blocks
    sums = b.xnor_conv2d(bits, np.zeros((6, 70, 1, 1), np.uint8))
    pooled = b.max_pool2d(sums, (2, 2), (2, 2))  # 6 x 2 x 2 of four each
    flat = b.affine(b.reshape(b.clip(pooled, 0, 50), (24,)), *(np.ones((3, 24), np.int64)))
    bits = b.project(flat, 11, "rademacher", 1, layer=1)
    cost = cost_of(b.finish(b.xnor_linear(bits, np.ones((2, 11), np.uint8))))
    assert cost.projection_adds == 20 * 3 * 2 * 32 * 5 + 11 * 24
    assert cost.generated_words == 3 * 2 * 1 + 11 * 1
    assert cost.bit_operations == 20 * 6 * 70 + 2 * 11
    assert cost.elementwise == 20 * 70 + 24 * 3 + 24 * 2 + 24 * 3
    assert cost.weight_bits == 6 * 70 + 2 * 11 and cost.real_weights == 6 * 27 + 2 * 24
    assert cost.total == 19_464 + 17 + 8_422 + 1_592 and cost.projection_products == cost.weight_products == 0


def test_cost_of_gates_matrices_and_stored_rows_by_hand():
    b = Builder()
    x = b.input("int", (5,), -9, 9)
    rows = b.int_linear(x, np.arange(40).reshape(8, 5) % 7, "i16")  # orthogonal rows are stored like this
    codes = b.xnor_linear(b.threshold(rows, np.zeros(8, np.int64)), np.ones((3, 8), np.uint8))
    bits = b.project(codes, 4, "gaussian", 2)
    gates = b.lut(bits, np.array([[0, 1], [1, 2], [2, 3]]), np.array([1, 6, 8], np.uint64))
    votes = b.count(gates, [[0, 1], [2]])
    cost = cost_of(b.finish(b.int_linear(votes, np.array([[1, -3], [2, 2]]), "i4")))
    assert (cost.projection_products, cost.generated_words) == (8 * 5 + 4 * 3, 2 * 4 * 3)
    assert (cost.bit_operations, cost.weight_products, cost.elementwise) == (3 * 8 + 3, 4, 8 + 3)
    assert cost.weight_bits == 40 * 16 + 24 + 4 * 4
    assert cost.total == 52 + 24 + 27 + 4 + 11


def test_errors_of_one_layer_fall_as_one_over_n():
    torch = pytest.importorskip("torch")
    from benchmarks.gnet.slope import layer_errors, slope_of

    rng = np.random.default_rng(0)
    v, w = torch.from_numpy(rng.normal(size=(60, 30))), torch.from_numpy(rng.normal(size=(20, 30)))
    lengths = [256, 1024, 4096]
    errors = np.mean([layer_errors(v, w, "gaussian", 0, seed, lengths) for seed in range(6)], 0)
    cos = (v @ w.T / v.norm(dim=1)[:, None] / w.norm(dim=1)).numpy()
    variance = np.mean(1 - (1 - 2 * np.arccos(cos) / np.pi) ** 2)  # of one product of signs
    assert np.allclose(errors * lengths, variance, rtol=0.15)
    assert abs(slope_of(lengths, errors.tolist()) + 1) < 0.1


def put(folder, name, table):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(table))


def test_the_page_shows_the_test_set_alone(tmp_path):
    row = {"hyperdimensions": 100, "projection": "hadamard", "model_accuracy": 99.5, "file_bytes": 1000}
    row |= {"cost": {"total": 2_000_000, "weight_bits": 8000, "real_weights": 4000}}
    rows = [row | {"split": "test", "accuracy": a, "projection_seed": i} for i, a in enumerate([98.0, 99.0])]
    rows += [row | {"split": "val", "accuracy": 10.0, "projection_seed": 0}]
    put(tmp_path / "gnet", "some-seed0.json", {"recipe": "some", "seed": 0, "rows": rows})
    slopes = [{"what": "conv1", "projection": "gaussian", "lengths": [10, 100], "errors": [0.1, 0.01], "slope": -1.0}]
    put(tmp_path / "gnet", "slope-some-seed0.json", {"slopes": slopes})
    text = page(tmp_path, tmp_path)
    assert "| `some` | hadamard | 100 | 98.50 ± 0.71 | 98.00 | 99.50 | 1 x 2 | 2 M |" in text
    assert "| `some` | 100 | 1 kB | 1 kB | 16 kB | 2 kB | hadamard: a seed |" in text
    assert "| conv1 | gaussian | -1.00 |" in text and (tmp_path / "gnet-slope-some-seed0.svg").exists()


def test_each_target_of_faults_has_its_section(tmp_path):
    for target, bits in (("accumulators", 20_000), ("weights", 16_000)):
        points = [
            {"target": target, "rate": r, "seed": 0, "accuracy": 90.0, "flipped": 1, "bits": bits} for r in (0, 0.1)
        ]
        put(
            tmp_path / "faults", f"{target}-net.json", {"program": "net", "samples": 100, "copies": 1, "points": points}
        )
    text = page(tmp_path, tmp_path)
    assert text.index("## Faults: weights") < text.index("## Faults: accumulators")
    assert "| net, 2 kB (100 images) | 90.0 | 90.0 |" in text and "| net, 200 bits (100 images) |" in text
    assert (tmp_path / "gnet-faults-accumulators.svg").exists()


def test_rows_of_slopes_and_faults_compare_with_their_bars(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "RESULTS", tmp_path)
    rows = [("conv1", -1.05), ("network", -1.3)]
    slopes = [{"what": what, "projection": "gaussian", "slope": slope} for what, slope in rows]
    put(tmp_path / "gnet", "slope-some-seed0.json", {"slopes": slopes})
    assert claims.slopes("layers", (-1.1, -0.9))().met and not claims.slopes("network", (-1.1, -0.9))().met
    curve = [(0, 98.0), (0.1, 97.2), (0.5, 10.0)]
    points = [{"rate": rate, "seed": seed, "accuracy": a} for rate, a in curve for seed in range(3)]
    put(tmp_path / "faults", f"weights-{claims.TASU}.json", {"samples": 10_000, "points": points})
    assert claims.fault_drop().met
    points[3]["accuracy"] = 95.9  # of three
    put(tmp_path / "faults", f"weights-{claims.TASU}.json", {"samples": 10_000, "points": points})
    assert not claims.fault_drop().met


def test_rows_of_rivals_compare_with_their_bars(tmp_path, monkeypatch):
    monkeypatch.setattr(gnet_accuracy, "RESULTS", tmp_path)
    monkeypatch.setattr(gnet_ways, "RESULTS", tmp_path)
    plain = {"split": "test", "accuracy": 80.0, "model_accuracy": 84.0, "hyperdimensions": 99, "projection": "hadamard"}
    ways = [{"way": "a", "hyperdimensions": n, "accuracy": a, "tuned": n, "split": "test", "cost": {"total": 1000 * n}}
            for n, a in ((99, 82.0), (200, 98.9))]  # fmt: skip
    ways.append({**ways[0], "way": "b", "accuracy": 83.0})  # another way of tuning makes the gap no smaller
    for seed in range(3):
        put(tmp_path / "gnet", f"r-seed{seed}.json", {"seed": seed, "rows": [plain]})
        table = {"data": "mnist", "seed": seed, "papers_total": 20_000_000, "rows": ways}
        put(tmp_path / "gnet", f"pareto-r-seed{seed}.json", table)
    assert claims.tuned_gap("r", 99, 2.5)().met and not claims.tuned_gap("r", 99, 1.9)().met
    assert claims.gap("r", 99, 4.0)().met and not claims.gap("r", 99, 3.9)().met
    assert gnet_ways.cheap().met and gnet_ways.cheap().value.startswith("1/100: a, N = 200, 98.90 %")

    def system(name, accuracy):
        return {"name": name, "points": [{"rate": 0.1, "accuracy": accuracy}, {"rate": 0.2, "accuracy": 1}]}

    for theirs in (96.0, 98.0):
        small = [system("tasu", 97.0), system("mnist_logic", 80.0), system("sign", theirs)]
        large = [system("tasu", 97.5), system("limit of 4-bit weights", 90.0)]  # which fits into more bytes alone
        table = {"recipe": "tasu", "samples": 10_000}
        put(tmp_path / "gnet", "equal-bytes-4095.json", {**table, "n": 4095, "systems": small})
        put(tmp_path / "gnet", "equal-bytes-9999.json", {**table, "n": 9999, "systems": large})
        found = gnet_ways.equal_bytes()
        assert found.met and f"97.00 % at 10 %, best rival sign {theirs:.2f} %" in found.value  # also where it loses
        put(tmp_path / "gnet", "equal-bytes-9999.json", {**table, "samples": 1000, "n": 9999, "systems": large})
        assert not gnet_ways.equal_bytes().met and "no 4-bit yet" in gnet_ways.equal_bytes().value


def test_rows_of_theory_compare_with_their_bars(tmp_path, monkeypatch):
    monkeypatch.setattr(gnet_theory, "RESULTS", tmp_path)
    kinds = {"gaussian": 1.01, "rademacher": 0.99, "orthogonal": 0.6, "hadamard": 0.7}
    means = [{"projection": kind, "what": "cosine", "mean_error": 0.001, "standard_error": 0.001, "theory": 0.0,
              "variance": variance} for kind, variance in kinds.items()]  # fmt: skip
    sparse = [{"projection": kind, "what": "sparse", "bias": 0.1, "theory": 0.105} for kind in ("rademacher",)]
    sparse += [{"projection": "hadamard", "what": "sparse", "bias": 0.004, "theory": 0.0}]
    put(tmp_path / "gnet", "estimator.json", {"rows": means + sparse})
    assert gnet_theory.estimates().met and "0.60 to 0.70 of orthogonal" in gnet_theory.estimates().value
    for row, key, wrong in ((means[0], "mean_error", 0.005), (means[1], "variance", 1.2), (sparse[0], "bias", 0.13),
                            (sparse[1], "bias", 0.02)):  # fmt: skip
        good, row[key] = row[key], wrong
        put(tmp_path / "gnet", "estimator.json", {"rows": means + sparse})
        assert not gnet_theory.estimates().met
        row[key] = good
    layers = [{"layer": layer, "projection": kind, "beyond": [0.0, 0.05], "delta": 0.05, "seeds": 20}
              for layer in ("conv1", "network") for kind in ("gaussian", "rademacher")]  # fmt: skip
    put(tmp_path / "gnet", "bound-some-seed0.json", {"layers": layers[:3]})
    assert not gnet_theory.bounds().met
    put(tmp_path / "gnet", "bound-some-seed0.json", {"layers": layers})
    assert gnet_theory.bounds().met
    layers[0]["beyond"] = [0.1]
    put(tmp_path / "gnet", "bound-some-seed0.json", {"layers": layers})
    assert not gnet_theory.bounds().met


def test_the_campaigns_row_is_read_and_its_command_names_a_row(tmp_path, monkeypatch):
    monkeypatch.setattr(gnet_accuracy, "RESULTS", tmp_path)
    claim = next(claim for claim in claims.CLAIMS if claim.key == "cifar-gpu")
    assert "cifar_gnet_wide" in find_rows([claim.command.split()[-1]])[0].recipes
    with pytest.raises(NotMeasured, match="accelerator"):
        claim.measure()
    for seed, accuracy in enumerate((84.5, 85.0, 85.5)):
        put(tmp_path, f"cifar_gnet_wide-seed{seed}.json", {"model_accuracy": accuracy})
    assert claim.measure().met and claim.measure().value.startswith("85.00 % (84.50 to 85.50; 3 training seeds")


def test_hypervectors_are_measured_on_the_split_and_rows_replaced(tmp_path):
    data = load_data("digits")
    row = hypervectors.measure(data, "vanilla_hdc", 300, 1, "test")
    model = HypervectorClassifier("vanilla_hdc", 300, 1, 0, 16).fit(data.x_train, data.y_train)
    assert row["accuracy"] == round(100 * np.mean(model.predict(data.x_test) == data.y_test), 4) > 60
    hypervectors.written("digits", [row], tmp_path)
    hypervectors.written("digits", [row | {"split": "val"}], tmp_path)
    path = hypervectors.written("digits", [row | {"accuracy": 1.0}], tmp_path)
    rows = json.loads(path.read_text())["rows"]
    assert [(r["split"], r["accuracy"]) for r in rows] == [("test", 1.0), ("val", row["accuracy"])]
    hypervectors.written("digits", [row | {"seed": 2, "accuracy": 3.0}], tmp_path)
    text = page(tmp_path, tmp_path)
    assert "## Hypervector classifiers: digits" in text and "| vanilla_hdc | 2.00 (2) |" in text
