"""Where values lie: a place for each in the array of its C type, used again once its last reader is done."""

from collections.abc import Sequence

from bitwright.ir.program import Program


def places(program: Program, owner: Sequence[int], ctypes: Sequence[str]) -> tuple[list[int], dict[str, int]]:
    """(first element of each value in its array, elements of each array), in values of one sample.

    owner[i]: the value whose memory value i shares, i itself for most.
    """
    last_use = list(range(len(program.ops)))
    for number, op in enumerate(program.ops):
        for i in op.inputs:
            last_use[owner[i]] = max(last_use[owner[i]], number)
    last_use[owner[-1]] = len(program.ops)
    offsets, sizes = [0] * len(program.ops), dict.fromkeys(ctypes, 0)
    live: list[int] = []
    for number, type_ in enumerate(program.types):
        if owner[number] != number:
            offsets[number] = offsets[owner[number]]
            continue
        live = [i for i in live if last_use[i] >= number]
        kind = ctypes[number]
        taken = sorted((offsets[i], offsets[i] + program.types[i].n_values) for i in live if ctypes[i] == kind)
        at = 0
        for begin, end in taken:
            if begin - at >= type_.n_values:
                break
            at = max(at, end)
        offsets[number] = at
        sizes[kind] = max(sizes[kind], at + type_.n_values)
        live.append(number)
    return offsets, sizes
