"""Compiles the Triton kernels of logic gates to machine code of a GPU that need not be there. Run as a program by
test_triton_gates.py. A size of 1 becomes a constant of the kernel, which is other code again."""

from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from bitwright.layers import triton_gates

BLOCK, TARGET = {"GATES": triton_gates.GATES, "SAMPLES": triton_gates.SAMPLES}, GPUTarget("cuda", 80, 32)
NUMBERS = "*i32"


def build(kernel, constants, signals):
    """signals: dtype of everything that is neither table, index nor size."""
    of = {"table_at": "*fp32", "to_table_at": "*fp32", "wiring_at": NUMBERS, "order_at": NUMBERS, "offsets_at": NUMBERS}
    sizes = {"n_gates": "i32", "n_inputs": "i32", "batch": "i32"}
    kinds = {name: of.get(name, sizes.get(name, f"*{signals}")) for name in kernel.arg_names}
    kinds |= {name: "constexpr" for name in constants}
    places = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
    assert compile(ASTSource(kernel, kinds, places), target=TARGET).asm["cubin"]


for signals, ones in (("fp32", {}), ("bf16", {"batch": 1})):
    few = {"n_gates": 1} if ones else {}
    build(triton_gates._forward, BLOCK | ones | few, signals)
    build(triton_gates._backward, BLOCK | {"TO_X": True, "STEPS": 2} | ones | few, signals)
    build(triton_gates._readers, {"ROWS": BLOCK["GATES"], "SAMPLES": BLOCK["SAMPLES"]} | ones, signals)
