"""Program -> one synthesizable Verilog-2001 module, a self-checking testbench and its vectors."""

from bitwright.backends.verilog.module import export_verilog

__all__ = ["export_verilog"]
