"""Builds C programs together with the sources of the native core, such as the fuzz driver with sanitizers."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.native.kernels_lib import FLAGS, NATIVE, compiler

needs_compiler = pytest.mark.skipif(compiler() is None, reason="needs a C compiler: apt install gcc")
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-g", "-O1"]


def core_sources() -> list[Path]:
    return [source for source in sorted(NATIVE.glob("**/*.c")) if "train" not in source.parts]


def build_with_core(main: Path, out: Path, flags: list[str]) -> Path:
    """Compiles `main` and all of native/, each file with the flags of its instruction set, into the program `out`."""
    cc, folder, objects, running = compiler(), out.parent, [], []
    for i, source in enumerate([main, *core_sources()]):
        isa = FLAGS.get(source.stem.rpartition("_")[2], [])  # batch_avx512.c too
        objects.append(str(folder / f"{out.name}-{i}.o"))
        have = [f"-DBW_HAVE_{name.upper()}=1" for name in FLAGS if name != "reference"]
        command = [cc, "-std=gnu11", f"-I{NATIVE}", *have, *flags, *isa]
        running.append(subprocess.Popen([*command, "-c", str(source), "-o", objects[-1]]))
        if len(running) == 4:
            assert running.pop(0).wait() == 0
    assert all(process.wait() == 0 for process in running)
    subprocess.run([cc, *flags, *objects, "-o", str(out), "-lpthread"], check=True)
    return out


def build_train(isa: str, folder: Path) -> Path:
    """libbw_train.so in `folder` with the loops of "reference" or "avx2" only."""
    others = tuple({"avx2", "avx512"} - {isa})
    sources = [path for path in sorted((NATIVE / "train").glob("*.c")) if not path.stem.endswith(others)]
    flags = [] if isa == "reference" else [*FLAGS[isa], "-DBW_HAVE_AVX2=1"]
    path = folder / "libbw_train.so"
    command = [compiler(), "-std=gnu11", "-O1", "-shared", "-fPIC", *flags, *map(str, sources), "-o", path, "-lpthread"]
    subprocess.run(command, check=True)
    return path


def has_sanitizers() -> bool:
    """Whether the compiler can link and run address and undefined-behaviour sanitizers."""
    if compiler() is None or shutil.which("sh") is None:
        return False
    program = 'echo "int main(void){return 0;}" > $d/t.c'
    build = f"{compiler()} {' '.join(SANITIZE)} $d/t.c -o $d/t"
    script = f"d=$(mktemp -d) && {program} && {build} && $d/t; s=$?; rm -rf $d; exit $s"
    return subprocess.run(["sh", "-c", script], capture_output=True).returncode == 0
