"""What is written from the table of operations is up to date, and a stale copy is noticed."""

import re
import sys

import pytest

from bitwright.ir import generate
from bitwright.ir.ops import CHOICES, DTYPES, OPS


def test_header_and_page_are_up_to_date():
    stale = [path.name for path, text in generate.outputs().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run python -m bitwright.ir.generate"


def test_check_notices_a_stale_file(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["generate", "--check"])
    assert generate.main() == 0
    monkeypatch.setattr(generate, "header_text", lambda: "old")
    assert generate.main() == 1
    assert "native/ops.h is out of date; run python -m bitwright.ir.generate" in capsys.readouterr().out


def test_codes_are_in_order_and_never_move():
    """Files in the world hold these numbers."""
    names = (
        "input threshold digitize xnor_linear xnor_conv2d int_linear int_conv2d lut lut_conv2d count project affine "
        "prelu clip add max_pool2d sum_pool2d patches gather reshape concat pad to_int output"
    )
    assert [OPS[name].code for name in names.split()] == list(range(24)) and len(OPS) == 24
    dtypes = "none bit i4 u8 i8 u16 i16 u32 i32 u64 i64 f32"
    assert list(DTYPES.items()) == [(name, i) for i, name in enumerate(dtypes.split())]
    assert CHOICES["accumulator"] == ("int32", "wrap8", "wrap8_half")


@pytest.mark.parametrize("name", OPS)
def test_header_says_what_the_table_says(name):
    spec, text = OPS[name], generate.header_text()
    row = re.search(rf'X\((\d+), (\d+), (\d+), (\d+), (\d+), (\d+), "{name}"', text)
    assert row, name
    counts = (spec.code, spec.version, *spec.n_inputs, len(spec.attrs), len(spec.consts))
    assert tuple(int(v) for v in row.groups()) == counts
    for i, attr in enumerate(spec.attrs):
        assert f"BW_{name.upper()}_{attr.upper()} = {i}" in text
