"""bitwright: train a network of bits, freeze it into one Program, run the same bits everywhere.

`import bitwright` touches NumPy alone at most: every public name is imported from its room at first use (PEP 562), so
loading and running a Program needs no torch, and `--help` is quick.
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> the module it lives in.
_PUBLIC = {
    "BitClassifier": "bitwright.estimator",
    "Dataset": "bitwright.data",
    "InputSpec": "bitwright.data",
    "Program": "bitwright.ir",
    "check_pair": "bitwright.quantizers.theory",
    "convert": "bitwright.models",
    "create_model": "bitwright.models",
    "export": "bitwright.backends.export",
    "fit": "bitwright.train",
    "freeze": "bitwright.freeze",
    "from_arrays": "bitwright.data",
    "from_csv": "bitwright.data",
    "from_folder": "bitwright.data",
    "list_models": "bitwright.models",
    "load": "bitwright.ir",
    "load_data": "bitwright.data",
    "pretrained": "bitwright.app.zoo",
    "summary": "bitwright.models",
    "synthesize": "bitwright.quantizers.theory",
}
__all__ = list(_PUBLIC)

if TYPE_CHECKING:  # the same again for editors and type checkers
    from bitwright.app.zoo import pretrained as pretrained
    from bitwright.data import Dataset as Dataset
    from bitwright.data import InputSpec as InputSpec
    from bitwright.data import from_arrays as from_arrays
    from bitwright.data import from_csv as from_csv
    from bitwright.data import from_folder as from_folder
    from bitwright.data import load_data as load_data
    from bitwright.estimator import BitClassifier as BitClassifier
    from bitwright.freeze import freeze as freeze
    from bitwright.ir import Program as Program
    from bitwright.ir import load as load
    from bitwright.models import convert as convert
    from bitwright.models import create_model as create_model
    from bitwright.models import list_models as list_models
    from bitwright.models import summary as summary
    from bitwright.quantizers.theory import check_pair as check_pair
    from bitwright.quantizers.theory import synthesize as synthesize
    from bitwright.train import fit as fit


class _Package(ModuleType):
    """The package as a module: a room never hides a public name, though `freeze` is both a room and a function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _PUBLIC and isinstance(value, ModuleType):
            return  # the import system binding a room of the same name; it stays in sys.modules
        super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'bitwright' has no attribute {name!r}; public names: {', '.join(__all__)}")
    try:
        value = getattr(importlib.import_module(_PUBLIC[name]), name)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors", "PIL"):
            raise
        raise ModuleNotFoundError(
            f"bitwright.{name} needs {error.name}, which is not installed; pip install 'bitwright[train]'",
            name=error.name,
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_PUBLIC))


sys.modules[__name__].__class__ = _Package
