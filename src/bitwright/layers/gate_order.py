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


def gradient_rows(walks: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray, int]], n_results: int, shared: bool):
    """Where gradients lie on the way back: (rows in all, list of int (3, gates) a layer, rows of the first inputs).

    walks: for each layer, last first, numbers of the result and of both inputs, gate by gate. A gate's gradient is read
    once; its row then goes to the next input met for the first time, which is a cache line at hand. shared: results of
    the last layer are read more than once. Rows of the result and of both inputs, ~ of them at first use; results of
    the last layer have rows 1, 2, ...; row 0 stays zeros, for inputs that nobody reads.
    """
    row_of, free, n_rows, found = list(range(1, n_results + 1)), [], n_results + 1, []
    for layer, (results, first, second, n_inputs) in enumerate(walks):
        rows, of_inputs, keep = [0] * n_inputs, [], shared and layer == 0
        of_results = [row_of[result] for result in results.tolist()]
        inputs = np.stack([first, second], 1).tolist()
        for row, pair in zip(of_results, inputs, strict=True):
            if row and not keep:
                free.append(row)
            for one in pair:
                mine = rows[one]
                if not mine:
                    if not free:
                        free.append(n_rows)
                        n_rows += 1
                    rows[one] = free.pop()
                    mine = ~rows[one]
                of_inputs.append(mine)
        if keep:
            free += range(1, n_results + 1)
        row_of = rows
        found.append(np.concatenate([[of_results], np.reshape(of_inputs, (-1, 2)).T]))
    return n_rows, found, row_of


def order_stack(wirings: Sequence[np.ndarray], n_inputs: int, n_groups: int = 0) -> np.ndarray:
    """wirings: int (2, gates) of each layer, indices in range -> int32, the plan of `struct bw_train_stack`."""
    walks, numbers, width = [], [], n_inputs
    for wiring in wirings:
        walks.append(trail(wiring[0], wiring[1], width))
        numbers.append(first_use(wiring[:, walks[-1]].T.reshape(-1), width))
        width = wiring.shape[1]
    numbers.append(np.arange(width) // (width // n_groups) if n_groups else np.arange(width))
    layers = list(zip(wirings, walks, numbers[:-1], numbers[1:], strict=True))
    back = [(after[walk], *own[wiring[:, walk]], len(own)) for wiring, walk, own, after in layers]
    n_rows, rows, first_rows = gradient_rows(back[::-1], n_groups or width, n_groups > 0)
    parts = [np.array([n_rows]), numbers[0], np.array(first_rows, int)[numbers[0]]]
    for (wiring, walk, own, after), (_, first, second, _), own_rows in zip(layers, back, rows[::-1], strict=True):
        there = np.argsort(after, kind="stable")
        parts += [*own[wiring[:, there]], after[there], first, second, *own_rows, np.argsort(there), np.argsort(walk)]
    return np.concatenate(parts).astype(np.int32)
