"""The order in which a stack of two-input gates is computed: along trails, so that gates in a row share inputs.

A gate is an edge between the inputs it reads; a trail walks from gate to gate over shared inputs. Every layer numbers
its inputs by first use on its walk: on the way back it reads them, and writes their gradients, front to back.
"""

from collections.abc import Sequence

import numpy as np


def trail(a: np.ndarray, b: np.ndarray, n_inputs: int) -> np.ndarray:
    """a, b: int (gates,), the inputs each gate reads -> int64 (gates,), the gates in the order of the walk."""
    n_gates, ends = len(a), np.concatenate([a, b])
    order = np.argsort(ends, kind="stable")
    gate_of, other_of = (order % max(n_gates, 1)).tolist(), np.concatenate([b, a])[order].tolist()
    bounds = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=n_inputs))])
    next_of, end_of = bounds[:-1].tolist(), bounds[1:].tolist()
    done, walk = bytearray(n_gates), []
    for start in range(n_inputs):
        here = start
        while True:
            at, end = next_of[here], end_of[here]
            while at < end and done[gate_of[at]]:
                at += 1
            next_of[here] = at
            if at < end:
                done[gate_of[at]] = 1
                walk.append(gate_of[at])
                here = other_of[at]
            elif here == start:
                break
            else:
                here = start  # a dead end; are there other ways out of the start?
    return np.array(walk, np.int64)


def first_use(signals: np.ndarray, n_inputs: int) -> np.ndarray:
    """signals: int, inputs in the order of their use -> int64 (n_inputs,), each one's number; the unused come last."""
    used, first = np.unique(signals, return_index=True)
    when = np.full(n_inputs, len(signals), np.int64)
    when[used] = first
    number = np.empty(n_inputs, np.int64)
    number[np.argsort(when, kind="stable")] = np.arange(n_inputs)
    return number


def order_stack(wirings: Sequence[np.ndarray], n_inputs: int, n_groups: int = 0) -> np.ndarray:
    """wirings: int (2, gates) of each layer, indices in range -> int32, as `struct bw_train_stack` has it.

    First the number of each of the n_inputs; then the gates of all layers, those of one in the order of their results,
    as four rows: numbers of both inputs, of the result (of the last layer: its place, or which of n_groups it is in),
    of the table; then all of that again, in the order of the walks.
    """
    walks, numbers, width = [], [], n_inputs
    for wiring in wirings:
        walks.append(trail(wiring[0], wiring[1], width))
        numbers.append(first_use(wiring[:, walks[-1]].T.reshape(-1), width))
        width = wiring.shape[1]
    numbers.append(np.arange(width) // (width // n_groups) if n_groups else np.arange(width))
    there, back = [], []
    for wiring, walk, own, after in zip(wirings, walks, numbers[:-1], numbers[1:], strict=True):
        for parts, order in (there, np.argsort(after, kind="stable")), (back, walk):
            parts += [own[wiring[0, order]], own[wiring[1, order]], after[order], order]
    return np.concatenate([numbers[0], *there, *back]).astype(np.int32)
