"""Types of logic tables: lut, lut_conv2d."""

from collections.abc import Sequence

import numpy as np

from bitwright.ir.program import Op
from bitwright.ir.rules import image_of, kind_of, need, rule
from bitwright.ir.types import ValueType
from bitwright.ir.windows import output_size


def _tables(op: Op) -> np.ndarray:
    k, wiring, table = op.attrs["k"], op.consts["wiring"], op.consts["table"]
    need(1 <= k <= 6, f"k is {k}, expected 1..6")
    need(wiring.shape == (len(table), k), f"wiring is {wiring.shape}, expected ({len(table)}, {k})")
    need(int(table.min()) >= 0 and int(table.max()) < 1 << (1 << k), f"a table has bits beyond its {1 << k} entries")
    need(int(wiring.min()) >= 0, "wiring is negative")
    return wiring


@rule("lut")
def _lut(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "bits")
    wiring = _tables(op)
    need(int(wiring.max()) < x.shape[0], f"wiring reads signal {int(wiring.max())} of only {x.shape[0]}")
    return ValueType("bits", (len(wiring), *x.shape[1:]))


@rule("lut_conv2d")
def _lut_conv2d(op: Op, inputs: Sequence[ValueType]) -> ValueType:
    (x,) = inputs
    kind_of(x, "bits")
    image_of(x)
    wiring, taps, outputs, attrs = _tables(op), op.consts["taps"], op.consts["outputs"], op.attrs
    need(attrs["pad_value"] in (0, 1), f"pad_value is {attrs['pad_value']}, expected 0 or 1")
    need(taps.shape[1] == 3, f"taps are {taps.shape}, expected (T, 3) of channel, dy, dx")
    inside = (taps >= 0) & (taps < np.array([x.shape[0], attrs["kernel_h"], attrs["kernel_w"]]))
    need(inside.all(), f"a tap leaves {x.shape[0]} channels x window {attrs['kernel_h']} x {attrs['kernel_w']}")
    first = len(taps) + np.arange(len(wiring))
    need((wiring.astype(np.int64) < first[:, None]).all(), "a table reads a signal that does not stand before it")
    need(0 <= int(outputs.min()) and int(outputs.max()) < len(taps) + len(wiring), "an output names no signal")
    return ValueType("bits", (len(outputs), *output_size(attrs, *x.shape[1:])))
