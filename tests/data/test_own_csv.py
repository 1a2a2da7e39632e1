import csv

import numpy as np
import pytest

from bitwright.data import InputSpec, from_csv
from bitwright.data.csv_file import read_csv
from bitwright.data.table import encode_table

HEADER = ["age", "colour", "kind"]
ROWS = [[str(20 + k), "red" if k % 3 else "blue", "ab"[k % 2]] for k in range(12)]


def write(path, rows, delimiter=","):
    with open(path, "w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


@pytest.fixture
def changed(tmp_path):
    """changed({(row, column): cell}) -> path of the table with these cells instead (row 0 comes after the header)."""

    def make(cells=(), header=HEADER):
        rows = [list(row) for row in ROWS]
        for (row, column), cell in dict(cells).items():
            rows[row][column] = cell
        return write(tmp_path / "t.csv", [header, *rows])

    return make


def test_numbers_stay_numbers_and_words_become_one_feature_each(changed):
    data = from_csv(changed(), target="kind", test=0.25, validation=0)
    columns = {"columns": ["age", "colour"], "categories": {"colour": ["blue", "red"]}}
    assert data.input == InputSpec("table", (3,), "float32", **columns)
    assert data.classes == ["a", "b"] and data.x_train.dtype == np.float32
    x, y = np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])
    got = {
        (int(age), "blue" if blue else "red", "ab"[k]) for (age, blue, red), k in zip(x.tolist(), y) if blue + red == 1
    }
    assert got == {(int(age), colour, kind) for age, colour, kind in ROWS} and len(data.y_test) == 3


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_separators_spaces_quotes_and_the_mark_excel_writes(tmp_path, delimiter):
    lines = [
        delimiter.join(['"a ' + delimiter + 'b"', " y "]),
        *(delimiter.join([f" {k}.5 ", ["no ", "yes"][k % 2]]) for k in range(4)),
    ]
    (tmp_path / "t.csv").write_text("\ufeff" + "\r\n".join(lines) + "\r\n\r\n", encoding="utf-8")
    data = from_csv(tmp_path / "t.csv", target="y", test=0, validation=0)
    assert data.input.columns == [f"a {delimiter}b"] and data.classes == ["no", "yes"]
    assert data.x_train.tolist() == [[0.5], [1.5], [2.5], [3.5]]


def test_whole_number_classes_are_in_the_order_of_numbers(tmp_path):
    path = write(tmp_path / "t.csv", [["x", "y"], *[[k, [2, 10, -1][k % 3]] for k in range(9)]])
    assert from_csv(path, target="y").classes == ["-1", "2", "10"]


def test_columns_can_be_dropped_or_taken_as_categories(changed):
    path = changed({(k, 0): str(k % 2) for k in range(12)} | {(3, 0): "?"})
    data = from_csv(path, target="kind", categorical=["age"], drop=["colour"])
    assert data.input.categories == {"age": ["0", "1", "?"]} and data.input.shape == (3,)


BAD = [
    ({(4, 0): ""}, {}, r"t.csv row 5 \(line 6\), column 'age' is empty; fill it, or remove"),
    ({(4, 1): " "}, {}, r"row 5 \(line 6\), column 'colour' is empty"),
    ({(4, 2): ""}, {}, r"row 5 \(line 6\), column 'kind' is empty"),
    ({(4, 0): "nan"}, {}, r"column 'age' is 'nan', expected a finite number"),
    ({(4, 0): "1e999"}, {}, r"column 'age' is '1e999', expected a finite number"),
    ({(4, 0): "1e39"}, {}, r"column 'age' is '1e39', expected a finite number"),
    ({(4, 0): "?"}, {}, r"row 5 .* column 'age' is '\?', while 11 other rows hold numbers; .*categorical=\['age'\]"),
    ({(4, 2): "c"}, {}, r"too few rows of class 'c' \(1\)"),
    ({(k, 2): "a" for k in range(12)}, {}, r"only the class 'a'"),
    ({}, {"target": "sort"}, r"no column 'sort'; its columns: age, colour, kind"),
    ({}, {"drop": ["colours"]}, r"no column 'colours'"),
    ({}, {"categorical": ["years"]}, r"no column 'years'"),
    ({}, {"drop": ["age", "colour"]}, r"no column beside kind, age, colour to learn from"),
]


@pytest.mark.parametrize(("cells", "options", "said"), BAD)
def test_a_bad_cell_is_named_by_row_and_column(changed, cells, options, said):
    with pytest.raises(ValueError, match=said):
        from_csv(changed(cells), **{"target": "kind"} | options)


def test_a_column_of_ids_is_not_a_category(tmp_path):
    rows = [[f"name {k}", "1,5", k % 2] for k in range(300)]
    with pytest.raises(ValueError, match=r"column 'id' has 300 different words, at most 256 .*drop=\['id'\]"):
        from_csv(write(tmp_path / "t.csv", [["id", "x", "y"], *rows]), target="y")
    rows = [[f"{k},5", k % 2] for k in range(300)]
    with pytest.raises(ValueError, match=r"numbers need a decimal point, not a comma"):
        from_csv(write(tmp_path / "t.csv", [["x", "y"], *rows], ";"), target="y")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "has no rows"),
        (b"a,b\n", "has no rows"),
        (b"a,b\n1,2\n1,2,3\n", "line 3 has 3 cells, the first has 2"),
        (b'a,b\n"1\n1",2\n1\n', "line 4 has 1 cells"),
        (b"a,a\n1,2\n", "two columns named 'a'"),
        (b"a,b\n\xff\xfe,2\n", "not a CSV in UTF-8"),
        (b'a,b\n"1,2\n', "not a CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_named(tmp_path, text, said):
    (tmp_path / "t.csv").write_bytes(text)
    with pytest.raises(ValueError, match=f"csv: .*t.csv.* {said}"):
        read_csv(tmp_path / "t.csv")
    with pytest.raises(FileNotFoundError, match="csv: no file .*u.csv"):
        read_csv(tmp_path / "u.csv")


def test_later_rows_are_encoded_as_the_training_rows_whatever_the_order_of_columns(changed, tmp_path):
    spec = from_csv(changed(), target="kind").input
    path = write(tmp_path / "new.csv", [["colour", "more", "age"], ["red", "", "7"], ["blue", "", "8"]])
    assert encode_table(read_csv(path), spec).tolist() == [[7, 0, 1], [8, 1, 0]]
    for header, row, said in [
        (["colour", "ages"], ["red", "7"], "no column 'age'; its columns: colour, ages"),
        (["colour", "age"], ["pink", "7"], r"row 1 \(line 2\), column 'colour' is 'pink', .* lacked; known: blue, red"),
        (["colour", "age"], ["red", ""], r"row 1 \(line 2\), column 'age' is empty"),
        (["colour", "age"], ["red", "x"], r"column 'age' is 'x', expected a finite number"),
    ]:
        with pytest.raises(ValueError, match=said):
            encode_table(read_csv(write(path, [header, row])), spec)


def test_iris(tmp_path):
    """150 flowers, 50 a kind: scikit-learn's copy, written as a CSV."""
    datasets = pytest.importorskip("sklearn.datasets", reason="needs scikit-learn: pip install scikit-learn")
    iris = datasets.load_iris()
    rows = [[*row, iris.target_names[k]] for row, k in zip(iris.data.tolist(), iris.target)]
    data = from_csv(write(tmp_path / "iris.csv", [["sl", "sw", "pl", "pw", "species"], *rows]), target="species")
    assert data.classes == ["setosa", "versicolor", "virginica"] and data.input.categories is None
    assert np.bincount(data.y_test).tolist() == [10, 10, 10] and np.bincount(data.y_val).tolist() == [5, 5, 5]
    x = np.concatenate([data.x_train, data.x_val, data.x_test])
    assert (np.sort(x, 0) == np.sort(iris.data, 0).astype(np.float32)).all()
