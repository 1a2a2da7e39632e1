"""How small a Program's file is, against a bit a weight and against float32."""

from dataclasses import dataclass

from bitwright.ir import Program


@dataclass(frozen=True)
class Sizes:
    """Bytes of a Program. weights: how many there are, of any width."""

    file_bytes: int
    weights: int

    @property
    def packed_bytes(self) -> float:
        """One bit a weight and nothing else: weights / 8."""
        return self.weights / 8

    @property
    def float_bytes(self) -> int:
        """The same weights as float32."""
        return 4 * self.weights

    @property
    def ratio(self) -> float:
        """File over one bit a weight; 1 is the least a network of 1-bit weights can have."""
        return self.file_bytes / self.packed_bytes if self.weights else float("inf")

    def __str__(self) -> str:
        smaller = self.float_bytes / self.file_bytes
        return (
            f"{self.file_bytes:,} bytes, {self.weights:,} weights: {self.ratio:.3f} x one bit a weight, "
            f"{smaller:.1f} x smaller than float32"
        )


def sizes(program: Program) -> Sizes:
    """Of the .bw file as `save` writes it, its header included."""
    return Sizes(len(program.to_bytes(short=True)), sum(op.consts["w"].size for op in program.ops if "w" in op.consts))
