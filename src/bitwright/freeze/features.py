"""Real-valued features into an integer net: `digitize` puts every feature on a scale of its own.

A feature's codes span the range of the calibration samples; the pending chain turns a code back into a real number, so
a batch norm over the features behind it is folded as anywhere else.
"""

import numpy as np
import torch

from bitwright.freeze.stream import Stream
from bitwright.ir import ProgramError

LEVELS = 255  # steps from the lowest to the highest code


def encode_floats(source: Stream, calibrate: np.ndarray | None) -> Stream:
    """Codes 0 .. 255 of every feature; the pending chain turns a code back into the middle of its step.

    calibrate: float32 (n, *input shape); the 0.1 % and 99.9 % quantiles of a feature are the ends of its scale.
    """
    if calibrate is None:
        raise ProgramError(
            "float inputs without a Thermometer need calibrate=x_train: samples that choose the steps of every feature"
        )
    x = np.asarray(calibrate, np.float32)
    if x.shape[1:] != source.shape or not len(x) or not np.isfinite(x).all():
        raise ProgramError(f"calibrate has shape {x.shape}, expected finite (n, {', '.join(map(str, source.shape))})")
    features = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)
    low, high = np.quantile(features, 0.001, axis=1), np.quantile(features, 0.999, axis=1)
    step = np.maximum((high - low) / LEVELS, 1e-6 * np.maximum(np.abs(high), 1.0))
    thresholds = (low[:, None] + (np.arange(LEVELS) + 0.5) * step[:, None]).astype(np.float32)
    thresholds = np.maximum.accumulate(thresholds, axis=1)
    emitter, value = source.emitter, source.value
    emitter.encoded = True
    codes = emitter.builder.digitize(value, thresholds)
    table = torch.from_numpy(thresholds)
    emitter.note(f"{LEVELS + 1} levels a feature", "the inputs are real numbers")

    def twin(v: torch.Tensor) -> torch.Tensor:
        columns = v.float().movedim(1, 0).reshape(len(table), -1).contiguous()
        counts = torch.searchsorted(table, columns, right=True).double()
        return counts.reshape(v.shape[1], v.shape[0], *v.shape[2:]).movedim(0, 1)

    emitter.emit(codes, [value], twin)
    middles = Stream(emitter, codes)
    return middles.scale(torch.from_numpy(step).float()).shift(torch.from_numpy(low).float())
