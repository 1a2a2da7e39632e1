"""What a number was measured on: the CPU and the features kernels are chosen by, versions, and the commit."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

SOURCES = ("src", "native", "recipes", "benchmarks")  # what a changed file of makes a number not the commit's
FEATURES = ("avx2", "avx512_vpopcntdq", "avx512_vnni", "amx_int8", "asimd")


def cpu_name() -> str:
    """The CPU's own name, which a virtual machine may make up: `cpu_features` decides what runs."""
    return _cpuinfo("model name") or platform.processor() or "unknown model"


def cpu_features() -> list[str]:
    """Those of FEATURES that this CPU has."""
    flags = (_cpuinfo("flags") or _cpuinfo("Features") or "").split()
    return [name for name in FEATURES if name in flags]


def hardware() -> str:
    features = " ".join(cpu_features()) or "no vector features known"
    return f"{cpu_name()}, {os.cpu_count()} logical cores, {features}, {platform.system()} {platform.machine()}"


def versions() -> dict[str, str]:
    """bitwright, Python, NumPy, and torch if it is installed."""
    found = {"bitwright": sys.modules["bitwright"].__version__, "python": platform.python_version()}
    for package in ("numpy", "torch"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit(folder: str | Path | None = None) -> str | None:
    """The checkout's commit, with "+" when sources differ from it; None where there is no checkout of this package."""
    root = Path(folder) if folder else Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    sources = [name for name in SOURCES if (root / name).exists()]
    try:
        head = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--", *sources) if sources else ""
    except (OSError, subprocess.CalledProcessError):
        return None
    return head[:12] + ("+" if changed else "")


def _git(root: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True).stdout.strip()


def _cpuinfo(key: str) -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return None
    return next((line.split(":", 1)[1].strip() for line in lines if line.split(":")[0].strip() == key), None)
