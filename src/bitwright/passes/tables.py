"""Truth tables of up to six inputs as 64-bit words, a whole array of them at a time.

Inside the passes input j is bit j of the address (the first input the least significant) and every table spans all
six inputs, so a gate of fewer inputs simply does not depend on the others. `from_program` and `to_program` convert.
"""

import numpy as np

N_INPUTS = 6
# MASK[j] marks the addresses in which input j is 1.
MASK = [np.uint64(sum(1 << a for a in range(64) if a >> j & 1)) for j in range(N_INPUTS)]
SHIFT = [np.uint64(1 << j) for j in range(N_INPUTS)]


def from_program(table: np.ndarray, k: int) -> np.ndarray:
    """uint64 (G,) from a Program's tables of k inputs, first input most significant there."""
    spread = np.zeros(len(table), np.uint64)
    table = table.astype(np.uint64)
    for address in range(64):
        theirs = sum((address >> j & 1) << (k - 1 - j) for j in range(k))
        spread |= (table >> np.uint64(theirs) & np.uint64(1)) << np.uint64(address)
    return spread


def to_program(table: np.ndarray, k: int) -> np.ndarray:
    """The inverse: tables of k inputs for a Program. Inputs k and later must not matter."""
    packed = np.zeros(len(table), np.uint64)
    for theirs in range(1 << k):
        address = sum((theirs >> (k - 1 - j) & 1) << j for j in range(k))
        packed |= (table >> np.uint64(address) & np.uint64(1)) << np.uint64(theirs)
    return packed


def cofactors(table: np.ndarray, j: int) -> tuple[np.ndarray, np.ndarray]:
    """The tables with input j held at 0 and at 1; neither depends on input j any more."""
    low, high = table & ~MASK[j], table & MASK[j]
    return low | low << SHIFT[j], high | high >> SHIFT[j]


def with_input_inverted(table: np.ndarray, j: int) -> np.ndarray:
    """The tables for the complement of input j."""
    return (table & MASK[j]) >> SHIFT[j] | (table & ~MASK[j]) << SHIFT[j]


def with_inputs_equal(table: np.ndarray, i: int, j: int) -> np.ndarray:
    """The tables where input j always equals input i; they no longer depend on input j."""
    at_0, at_1 = cofactors(table, j)
    return at_0 & ~MASK[i] | at_1 & MASK[i]


def with_inputs_swapped(table: np.ndarray, i: int, j: int) -> np.ndarray:
    """The tables with inputs i < j exchanged."""
    step = SHIFT[j] - SHIFT[i]
    up, down = MASK[i] & ~MASK[j], MASK[j] & ~MASK[i]
    return table & ~(up | down) | (table & up) << step | (table & down) >> step
