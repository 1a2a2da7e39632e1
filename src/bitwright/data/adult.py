"""Adult (Census Income): does a person earn more than 50,000 dollars a year? 116 bits.

Source: B. Becker, R. Kohavi, 1996; UCI, doi:10.24432/C5XW20. Licence: CC BY 4.0.
Bits: those of the logic gate paper's code (arXiv:2210.08277): rows with a "?" dropped, fnlwgt and education-num left
out, ranges of age, capital gain and loss, hours. There the six bits of the hours are never set, by a slip; so
"adult_official_hours" leaves the hours out (110 bits), while "adult" has them.
Split: the original files; a tenth of the training rows is for validation.
"""

import numpy as np

from bitwright.data.dataset import Dataset
from bitwright.data.spec import InputSpec
from bitwright.data.split import hold_out
from bitwright.data.uci import LICENCE, UciFile, are_present, as_table, table_spec

FILES = (
    UciFile("adult", "adult.data", 3974305, "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d"),
    UciFile("adult", "adult.test", 2003153, "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05"),
)
CLASSES = ["<=50K", ">50K"]
RAW = (
    "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship", "race",
    "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country",
)  # fmt: skip
WORDS = {
    "workclass": "Private,Self-emp-not-inc,Self-emp-inc,Federal-gov,Local-gov,State-gov,Without-pay,Never-worked",
    "education": "Preschool,1st-4th,5th-6th,7th-8th,9th,10th,11th,12th,HS-grad,Some-college,Assoc-voc,Assoc-acdm,"
    "Bachelors,Masters,Prof-school,Doctorate",
    "marital-status": "Married-civ-spouse,Divorced,Never-married,Separated,Widowed,Married-spouse-absent,"
    "Married-AF-spouse",
    "occupation": "Tech-support,Craft-repair,Other-service,Sales,Exec-managerial,Prof-specialty,Handlers-cleaners,"
    "Machine-op-inspct,Adm-clerical,Farming-fishing,Transport-moving,Priv-house-serv,Protective-serv,Armed-Forces",
    "relationship": "Wife,Own-child,Husband,Not-in-family,Other-relative,Unmarried",
    "race": "White,Asian-Pac-Islander,Amer-Indian-Eskimo,Other,Black",
    "sex": "Female,Male",
    "native-country": "United-States,Cambodia,England,Puerto-Rico,Canada,Germany,Outlying-US(Guam-USVI-etc),India,"
    "Japan,Greece,South,China,Cuba,Iran,Honduras,Philippines,Italy,Poland,Jamaica,Vietnam,Mexico,Portugal,Ireland,"
    "France,Dominican-Republic,Laos,Ecuador,Taiwan,Haiti,Columbia,Hungary,Guatemala,Nicaragua,Scotland,Thailand,"
    "Yugoslavia,El-Salvador,Trinadad&Tobago,Peru,Hong,Holand-Netherlands",
}
EDGES = {
    "age": [21, 30, 45, 60],
    "capital-gain": [1, 5000],
    "capital-loss": [1, 5000],
    "hours-per-week": [1, 13, 26, 41, 60],
}


def is_present(root=None) -> bool:
    """Whether both files lie below the root."""
    return are_present(FILES, root)


def load(root=None, validation: bool = True, seed: int = 0) -> Dataset:
    """uint8 (N, 116) of 0 and 1: 27,146 / 3,016 / 15,060 rows. Missing files are fetched; a changed one: ValueError."""
    return _load("adult", ("fnlwgt", "education-num"), root, validation, seed)


def load_official_hours(root=None, validation: bool = True, seed: int = 0) -> Dataset:
    """The same rows without the hours, which the paper's code never sets: uint8 (N, 110)."""
    return _load("adult_official_hours", ("fnlwgt", "education-num", "hours-per-week"), root, validation, seed)


def _load(name: str, without: tuple[str, ...], root, validation: bool, seed: int) -> Dataset:
    kept = [column for column in RAW if column not in without]
    spec = table_spec({column: EDGES.get(column) or WORDS[column].split(",") for column in kept})  # type: ignore
    (x, y), (x_test, y_test) = (_read(file, root, kept, spec) for file in FILES)
    parts = hold_out(x, y, round(len(y) / 10) if validation else 0, seed)
    source = "B. Becker, R. Kohavi: Adult, UCI Machine Learning Repository, 1996"
    return Dataset(name, *parts, x_test, y_test, list(CLASSES), spec, source, LICENCE)


def _read(file: UciFile, root, kept: list[str], spec: InputSpec) -> tuple[np.ndarray, np.ndarray]:
    lines = [line for line in file.lines(root) if "," in line and "?" not in line]
    rows = [[cell.strip() for cell in line.split(",")] for line in lines]
    y = np.array([CLASSES.index(row[-1].rstrip(".")) for row in rows], np.int64)  # the test file ends labels with "."
    at = [RAW.index(column) for column in kept]
    return as_table([[row[i] for i in at] for row in rows], spec, file.name), y
