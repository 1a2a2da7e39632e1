"""Short programs for tests: one operation between an input and an output."""

import numpy as np

from bitwright.ir import Builder


def closed(builder, value):
    """The Program that ends with this value, whatever its kind and shape."""
    if value.type.kind == "float":
        value = builder.threshold(value, np.zeros(value.shape[0], np.float32))
    if value.type.kind == "bits":
        value = builder.to_int(value, "bits")
    if len(value.shape) == 3:
        value = builder.reshape(value, (value.type.n_values,))
    return builder.finish(value)


def single(kind, shape, add, lo=-9, hi=9):
    """The Program of one operation: add(builder, x) on an input of that kind and shape."""
    builder = Builder()
    x = builder.input(kind, shape, lo, hi) if kind == "int" else builder.input(kind, shape)
    return closed(builder, add(builder, x))


def data_for(program, batch, seed=0):
    """A random batch over the whole range of the Program's input."""
    rng, type_ = np.random.default_rng(seed), program.input_type
    shape = (batch, *type_.shape)
    if type_.kind == "bits":
        return rng.integers(0, 2, shape, dtype=np.uint8)
    if type_.kind == "int":
        return rng.integers(type_.lo, type_.hi, shape, endpoint=True)
    return rng.normal(size=shape).astype(np.float32)
