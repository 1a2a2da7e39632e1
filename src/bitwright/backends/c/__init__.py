"""Program -> one self-contained C99 file and its header."""

from bitwright.backends.c.file import export_c

__all__ = ["export_c"]
