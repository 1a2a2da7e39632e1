"""The small UCI tables: published counts, bits spelt out by hand, and raw columns on their way into a Program."""

import numpy as np
import pytest
from needs import needs_data

from bitwright.data import load_data, read_inputs

SIZES = {  # bits, rows of train + validation and test, bits set in every row
    "monk1": (17, 124, 432, 6), "monk2": (17, 169, 432, 6), "monk3": (17, 122, 432, 6),
    "breast_cancer": (51, 207, 70, 9),
    "adult": (116, 30162, 15060, 12), "adult_official_hours": (110, 30162, 15060, 11),
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs_data(name)) for name in SIZES if name != "adult"])
def test_counts_are_the_published_ones(name):
    bits, rows, test_rows, ones = SIZES[name]
    data = load_data(name)
    assert data.input.shape == (bits,) and len(data.y_train) + len(data.y_val) == rows and len(data.y_test) == test_rows
    for x in (data.x_train, data.x_val, data.x_test):
        assert x.dtype == np.uint8 and set(np.unique(x)) == {0, 1} and (x.sum(1) == ones).all()
    assert abs(data.y_train.mean() - data.y_val.mean()) < 0.05 and data.source and data.licence == "CC BY 4.0"


@needs_data("monk1")
def test_the_rules_of_the_monks_hold():
    """monks.names: 1 is a1 = a2 or a5 = 1; 2 is exactly two attributes are 1; 3 is (a5 = 3 and a4 = 1) or ..."""
    for number in (1, 2, 3):
        data = load_data(f"monk{number}", validation=False)
        a = np.stack([part.argmax(1) + 1 for part in np.split(data.x_test, np.cumsum([3, 3, 2, 3, 4]), axis=1)])
        rule = {
            1: (a[0] == a[1]) | (a[4] == 1),
            2: (a == 1).sum(0) == 2,
            3: ((a[4] == 3) & (a[3] == 1)) | ((a[4] != 4) & (a[1] != 3)),
        }[number]
        assert (data.y_test == rule).all()


@needs_data("adult")
def test_adult_bits_by_hand_and_from_a_csv(tmp_path):
    data = load_data("adult")
    assert data.input.shape == (116,) and len(data.y_test) == 15060
    assert (data.x_test.sum(1) == 12).all() and round(100 * data.y_test.mean(), 2) == 24.57  # adult.names: 24.57 %
    first = data.x_test[0]  # 25, Private, ..., 40 hours, <=50K
    assert first[:5].tolist() == [0, 1, 0, 0, 0] and first[5:13].tolist() == [1] + [0] * 7 and data.y_test[0] == 0
    hours = first[116 - 41 - 6 : 116 - 41]
    assert hours.tolist() == [0, 0, 0, 1, 0, 0]
    header = "age,workclass,education,marital-status,occupation,relationship,race,sex,capital-gain,capital-loss,"
    row = "25,Private,11th,Never-married,Machine-op-inspct,Own-child,Black,Male,0,0,40,United-States"
    table = tmp_path / "people.csv"
    table.write_text(f"{header}hours-per-week,native-country\n{row}\n")
    assert (read_inputs(table, data.input)[1] == first).all()
    table.write_text(f"{header}hours-per-week,native-country\n{row.replace('Private', 'Pirate')}\n")
    with pytest.raises(ValueError, match="'Pirate', a category that the training data lacked"):
        read_inputs(table, data.input)
    table.write_text(f"{header}native-country\n{row.replace('0,40,', '0,')}\n")
    with pytest.raises(ValueError, match="no column 'hours-per-week'"):
        read_inputs(table, data.input)


@needs_data("monk1")
def test_a_changed_file_is_named(tmp_path):
    (tmp_path / "uci").mkdir()
    for part in ("train", "test"):
        (tmp_path / "uci" / f"monks-1.{part}").write_text(" 1 1 1 1 1 3 1 data_5\n")
    with pytest.raises(ValueError, match="monks-1.train is not the original"):
        load_data("monk1", root=tmp_path)
