"""What is present on this machine: `bitwright doctor`. Torch is looked up by its metadata, not imported."""

import os
import platform
import shutil
import sys
import warnings
from importlib import metadata
from pathlib import Path

OPTIONAL = {
    "torch": "training, freezing: pip install 'bitwright[train]'",
    "safetensors": "checkpoints: pip install 'bitwright[train]'",
    "pillow": "images from files: pip install pillow",
    "scikit-learn": "only to test BitClassifier against it: pip install scikit-learn",
}


def doctor() -> list[tuple[str, str, bool]]:
    """Rows of (what, what was found or the way out, present)."""
    rows = [
        ("bitwright", f"{metadata_version('bitwright') or 'run from sources'} at {package_folder()}", True),
        (
            "python",
            f"{platform.python_version()}, {platform.system()} {platform.machine()}",
            sys.version_info >= (3, 11),
        ),
        ("numpy", metadata_version("numpy") or "missing", metadata_version("numpy") is not None),
    ]
    for package, why in OPTIONAL.items():
        version = metadata_version(package)
        rows.append((package, version or f"missing; for {why}", version is not None))
    rows.append(native_core())
    compilers = [shutil.which(name) for name in (os.environ.get("CC"), "cc", "gcc", "clang") if name]
    compiler = next(filter(None, compilers), None)
    rows.append(("C compiler", compiler or "missing; needed only to build the native core", compiler is not None))
    rows.append(data_folder())
    rows.append(("cpu", f"{os.cpu_count()} logical cores, {cpu_name()}", True))
    return rows


def native_core() -> tuple[str, str, bool]:
    from bitwright.ir import join_backends

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        kernels = [name for name in join_backends() if name != "interpreter"]
    if kernels:
        return "native core", ", ".join(kernels), True
    return "native core", f"missing; {said[-1].message if said else 'Programs run on the interpreter'}", False


def data_folder() -> tuple[str, str, bool]:
    from bitwright.data.root import data_root

    try:
        root = data_root()
    except FileNotFoundError as error:
        return "data", str(error), False
    present = sorted(child.name for child in root.iterdir() if child.is_dir()) if root.is_dir() else []
    return "data", f"{root}: {', '.join(present) or 'empty so far; data sets are fetched there when asked for'}", True


def package_folder() -> Path:
    return Path(__file__).resolve().parents[1]


def metadata_version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown model"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown model")
