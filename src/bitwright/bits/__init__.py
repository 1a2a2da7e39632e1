"""Packed signs, bit order, popcount and the seeded bit generator. NumPy only."""

from bitwright.bits.generator import gaussian_rows, generator_words, rademacher_rows, rademacher_signs
from bitwright.bits.packed import PackedBits, pack_bits, pack_signs, unpack_bits, xnor_dot

__all__ = [
    "PackedBits",
    "gaussian_rows",
    "generator_words",
    "pack_bits",
    "pack_signs",
    "rademacher_rows",
    "rademacher_signs",
    "unpack_bits",
    "xnor_dot",
]
