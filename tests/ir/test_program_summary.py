import numpy as np
from damage import SMALL

from bitwright.ir import Builder
from bitwright.ir.summary import summarize


def small_network():
    """4 x 4 x 3 weights on ints at 36 places, thresholded; 3 x 144 on bits; ratio and shares by hand below."""
    b = Builder()
    x = b.input("int", (3, 6, 6), 0, 255)
    x = b.threshold(b.int_conv2d(x, np.ones((4, 3, 1, 1), int), "bit"), np.zeros(4, int))
    x = b.xnor_linear(b.reshape(x, (144,)), np.ones((3, 144), int))
    return b.finish(b.affine(x, 2, 0, 0))


def test_rows_and_totals():
    summary = summarize(small_network())
    rows = {row["operation"]: row for row in summary.rows}
    assert (rows["int_conv2d"]["n_weights"], rows["int_conv2d"]["1xint"]) == (12, 12 * 36)
    assert (rows["xnor_linear"]["n_weights"], rows["xnor_linear"]["1x1"]) == (432, 432)
    assert rows["affine"]["wide"] == 3 and rows["threshold"]["thresholds"] == 4
    assert (rows["int_conv2d"]["bytes"], rows["xnor_linear"]["bytes"]) == (4 * 8, 3 * 24)
    assert summary.weight_bytes == (12 + 432) // 8 + 1 and summary.float_bytes == 4 * (12 + 432)
    assert summary.binary_share == 432 / (432 + 432 + 3)
    assert summary.file_bytes == len(small_network().to_bytes(short=True))


def test_what_stays_wide_is_named_with_its_reason():
    wide = {w["operation"]: w for w in summarize(small_network()).wider}
    assert set(wide) == {"input", "xnor_linear", "affine"}  # not the convolution: a threshold reads it at once
    assert wide["affine"]["why"] == "the scores"
    assert wide["input"]["bits"] == 8 and wide["xnor_linear"]["bits"] == 9  # 0..255; -144..144


def test_text_has_every_operation_and_the_totals():
    for make in SMALL.values():
        program = make()
        text = str(program.summary())
        assert all(op.name in text for op in program.ops)
        assert f"file {len(program.to_bytes(short=True)):,} bytes" in text


def test_weights_of_other_widths_count_their_bits():
    b = Builder()
    x = b.int_linear(b.input("bits", (8,)), np.ones((2, 8), int), "i4")
    summary = summarize(b.finish(b.int_linear(x, np.ones((1, 2), int), "i16")))
    assert summary.weight_bytes == 16 // 2 + 2 * 2
    assert [row["wide"] for row in summary.rows] == [0, 16, 2, 0]
    assert "sums over" not in summary.wider[0]["why"]


def test_a_network_of_tables_has_no_products():
    summary = summarize(SMALL["bits"]())
    assert summary.binary_share == 0 and summary.n_weights == 3 * 4
    assert [w["operation"] for w in summary.wider] == ["count"]


def test_logic_is_counted_gate_by_gate():
    """A tree of depth 2 at 9 positions, a layer, and groups of 7 and 2 signals: 4 and 1 adders."""
    b = Builder()
    x = b.threshold(b.input("int", (1, 3, 3), 0, 9), np.array([[4]]))
    taps = np.zeros((4, 3), int)
    x = b.lut_conv2d(x, taps, np.array([[0, 1], [2, 3], [4, 5]]), np.array([8, 6, 14]), np.array([6]), (1, 1))
    x = b.lut(b.reshape(x, (9,)), np.arange(9)[:, None] + np.array([0, 1]) & 7, np.full(9, 6))
    logic = summarize(b.finish(b.count(x, [list(range(7)), [7, 8]]))).logic
    assert logic == {"gates": 12, "gates_run": 36, "depth": 3, "adders": 5, "thresholds": 9}
    assert summarize(small_network()).logic == {}
