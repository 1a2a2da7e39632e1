import json

import numpy as np
import pytest

from bitwright.data import Dataset, InputSpec

TABLE = InputSpec("table", (4,), "float32", columns=["age", "colour"], categories={"colour": ["blue", "green", "red"]})


@pytest.mark.parametrize(
    "spec",
    [
        InputSpec("image", (3, 32, 32), "uint8", 0, 255, mode="RGB"),
        InputSpec("image", (1, 8, 8), "uint8", 0, 16, mode="L"),
        InputSpec("array", (5,), "float32"),
        TABLE,
    ],
)
def test_json_and_back(spec):
    assert InputSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert InputSpec.from_json(spec.to_json() | {"of a later version": 1}) == spec


def test_features_are_counted():
    assert TABLE.n_features == TABLE.n_table_features == 4
    assert InputSpec("array", (3, 4, 5), "uint8", 0, 255).n_features == 60


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"kind": "sound"}, "kind is 'sound', expected one of image, table, array"),
        ({"dtype": "float64"}, "dtype is 'float64'"),
        ({"shape": []}, r"shape is \(\)"),
        ({"shape": [1, 8, -8]}, r"shape is \(1, 8, -8\)"),
        ({"shape": [1, 8, 8.0]}, "expected positive integers"),
        ({"shape": [3, 8, 8]}, r"mode 'L', shape \(3, 8, 8\)"),
        ({"mode": "CMYK"}, "mode 'CMYK'"),
        ({"lo": 16}, "lo, hi are 16, 16"),
        ({"hi": 300}, "lo, hi are 0, 300"),
        ({"dtype": "float32"}, "lo, hi are 0, 16; float32 has no range"),
        ({"kind": "table", "columns": ["a"]}, "do not belong to the columns"),
        (TABLE.to_json() | {"categories": {"colour": ["blue", "green", "red"], "size": []}}, "do not belong to the"),
    ],
)
def test_a_damaged_description_is_an_error(damage, said):
    good = InputSpec("image", (1, 8, 8), "uint8", 0, 16, mode="L").to_json()
    with pytest.raises(ValueError, match=f"InputSpec: .*{said}"):
        InputSpec.from_json(good | damage)


def test_a_description_without_a_shape_is_an_error():
    with pytest.raises(ValueError, match="InputSpec: shape missing; has kind, dtype"):
        InputSpec.from_json({"kind": "image", "dtype": "uint8"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x_val": np.zeros((2, 3), np.uint8)}, r"x_val is uint8 \(N, 3\), `input` says uint8 \(2,\)"),
        ({"x_test": np.zeros((2, 2))}, r"x_test is float64"),
        ({"y_train": np.zeros(3, int)}, r"y_train is int64 \(3,\), expected int64 \(2,\)"),
        ({"y_train": np.zeros(2)}, r"y_train is float64"),
    ],
)
def test_a_data_set_that_contradicts_itself_is_an_error(change, said):
    parts = {f"{axis}_{split}": np.zeros((2, 2) if axis == "x" else 2, np.uint8 if axis == "x" else np.int64)
             for split in ("train", "val", "test") for axis in "xy"}  # fmt: skip
    rest = {"name": "made", "classes": ["a", "b"], "source": "", "licence": ""}
    spec = InputSpec("array", (2,), "uint8", 0, 255)
    assert "2 train, 2 validation, 2 test; 2 classes; uint8 2" in repr(Dataset(**parts, **rest, input=spec))
    with pytest.raises(ValueError, match=said):
        Dataset(**parts | change, **rest, input=spec)
