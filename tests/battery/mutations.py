"""Mutations of small `.bw` files: bytes, fields, splices, cuts, and whole operations changed and written again."""

import struct
from dataclasses import replace

import numpy as np
from damage import SMALL, sealed
from plain_writer import GOLDEN
from say_all import SAY_ALL

from bitwright.ir import Limits, Program, ProgramError
from bitwright.ir.checker import infer

LIMITS = Limits(ops=256, tensor=1 << 14, total=1 << 16, steps=1 << 24, json_bytes=1 << 16)  # those of fuzz_driver.c
NUMBERS = [0, 1, 2, 3, 7, 8, 63, 64, 65, 127, 128, 255, 256, 1 << 15, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1,
           1 << 32, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]  # fmt: skip


def seeds():
    """Programs to start from."""
    made = [make() for make in SMALL.values()] + [make() for name, make in SAY_ALL.items() if "wrap" not in name]
    files = [program.to_bytes(short) for program in made for short in (False, True)]
    return made, files + [make() for make in GOLDEN.values()]


def mutations(count, seed=0):
    """`count` damaged files, one after another; about half with length and checksum made right again."""
    rng = np.random.default_rng(seed)
    programs, files = seeds()
    for number in range(count):
        if number % 4 == 3:
            data = rewritten(programs[rng.integers(len(programs))], rng)
        else:
            data = files[rng.integers(len(files))]
            for _ in range(int(rng.choice([1, 1, 1, 2, 4]))):
                data = CHANGES[rng.integers(len(CHANGES))](data, files, rng)
        yield sealed(data) if number % 2 else bytes(data)


def flipped_bits(data, files, rng):
    data = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        if data:
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    return bytes(data)


def replaced_bytes(data, files, rng):
    data = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        if data:
            data[rng.integers(len(data))] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
    return bytes(data)


def edited_field(data, files, rng):
    """A number of 1, 2, 4 or 8 bytes at its natural place: set to an awkward one, or moved by a little."""
    size = int(rng.choice([1, 2, 4, 8]))
    if len(data) < size:
        return data
    records = 128 + struct.unpack_from("<Q", data, 24)[0] if len(data) > 128 else 128
    begin, end = ((0, 128), (128, records), (128, records), (0, len(data)))[rng.integers(4)]
    end = max(min(end, len(data)), size)
    at = int(rng.integers(min(begin, end - size), end - size + 1)) // size * size
    old = int.from_bytes(data[at : at + size], "little")
    new = old + int(rng.integers(-3, 4)) if rng.random() < 0.5 else NUMBERS[rng.integers(len(NUMBERS))]
    return data[:at] + (new % (1 << 8 * size)).to_bytes(size, "little") + data[at + size :]


def edited_blob(data, files, rng):
    """A byte of a constant: weights, thresholds, tables; often still a valid Program."""
    if len(data) < 128:
        return data
    start, size = struct.unpack_from("<QQ", data, 48)
    if not 0 < size <= len(data) or start + size > len(data):
        return data
    at = start + int(rng.integers(size))
    return data[:at] + bytes([int(rng.integers(256))]) + data[at + 1 :]


def spliced(data, files, rng):
    """A piece of another file, or of this one, over or between the bytes; half of the time in multiples of 8."""
    other = files[rng.integers(len(files))]
    unit = int(rng.choice([1, 8]))
    length = int(rng.integers(1, 30)) * unit
    source, at = (int(rng.integers(len(d) + 1)) // unit * unit for d in (other, data))
    over = length if rng.random() < 0.6 else 0
    return data[:at] + other[source : source + length] + data[at + over :]


def cut(data, files, rng):
    """Truncated, or with a piece taken out."""
    at = int(rng.integers(len(data) + 1))
    return data[:at] if rng.random() < 0.5 else data[:at] + data[at + int(rng.integers(1, 100)) :]


CHANGES = [flipped_bits, replaced_bytes, edited_field, edited_field, edited_blob, edited_blob, spliced, cut]


def rewritten(program, rng):
    """An operation changed in memory and, where the result is a Program, written anew; else the file as it was."""
    ops = list(program.ops)
    i = int(rng.integers(len(ops)))
    op = ops[i]
    choice = rng.random()
    if choice < 0.5 and op.attrs:
        name = list(op.attrs)[rng.integers(len(op.attrs))]
        ops[i] = replace(op, attrs={**op.attrs, name: op.attrs[name] + int(rng.integers(-2, 3))})
    elif choice < 0.8 and op.consts:
        name = list(op.consts)[rng.integers(len(op.consts))]
        value = op.consts[name].copy()
        value.reshape(-1)[rng.integers(value.size)] = rng.integers(0, 3)
        ops[i] = replace(op, consts={**op.consts, name: value})
    elif op.inputs:
        inputs = list(op.inputs)
        inputs[rng.integers(len(inputs))] = int(rng.integers(max(i, 1)))
        ops[i] = replace(op, inputs=tuple(inputs))
    try:
        program = Program(tuple(ops), infer(ops, LIMITS), program.header)
    except (ProgramError, IndexError):
        pass
    return program.to_bytes(short=bool(rng.random() < 0.5))
