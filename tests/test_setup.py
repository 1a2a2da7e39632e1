"""scripts/setup.sh with a stand-in for Python that writes down what it was asked: which torch is tried, what is said.

The stand-in also answers as the venv's Python, so nothing is installed and nothing is fetched.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

FAKE_PYTHON = """#!/bin/sh
echo "$*" >> "$FAKE_LOG"
case "$*" in
    *version_info\\[:2\\]*) echo 3 12 ;;
    *version_info*) exit "${FAKE_OLD:-0}" ;;
    *"import ensurepip"*) exit "${FAKE_NO_ENSUREPIP:-0}" ;;
    *"import torch"*) test -e "$FAKE_LOG.torch" ;;
    "-m venv"*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
    *"install"*"torch=="*|*"install"*"torch>="*)
        case "$*" in
            *${FAKE_ACCEPTS:-nothing}*) touch "$FAKE_LOG.torch" ;;
            *) echo "no matching torch" >&2; exit 1 ;;
        esac ;;
esac
"""

CHOICES = ("TORCH", "TORCH_INDEX", "EXTRAS", "VENV", "PYTHON", "CHOICES")

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="not on this system: sh")


@pytest.fixture
def setup(tmp_path):
    """setup(**environment) -> (exit code, what it printed, the pip install lines), in a copy with a fake Python."""
    for name in ("scripts", "src/bitwright/native", "bin"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "scripts")
    (fake := tmp_path / "bin" / "python3").write_text(FAKE_PYTHON)
    fake.chmod(0o755)
    (tmp_path / "bin" / "uname").write_text("#!/bin/sh\necho ${FAKE_SYSTEM:-Linux}\n")
    (tmp_path / "bin" / "uname").chmod(0o755)
    log = tmp_path / "log"

    def run(**environment):
        clean = {key: value for key, value in os.environ.items() if key not in CHOICES}
        path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment = clean | {"PATH": path, "FAKE_LOG": str(log)} | environment
        log.write_text("")
        done = subprocess.run(["sh", tmp_path / "scripts/setup.sh"], env=environment, capture_output=True, text=True)
        installs = [line for line in log.read_text().splitlines() if " install " in f"{line} " and "torch" in line]
        return done.returncode, done.stdout + done.stderr, installs

    return run


def test_the_local_cpu_build_is_tried_first(setup):
    code, said, installs = setup(FAKE_ACCEPTS="torch==2.13.0+cpu")
    assert code == 0 and len(installs) == 1 and "index" not in installs[0], said


def test_then_the_cpu_index_as_an_extra_one(setup):
    code, said, installs = setup(FAKE_ACCEPTS="--extra-index-url")
    assert code == 0 and len(installs) == 2, said
    assert "torch==2.13.0+cpu" in installs[1]
    assert "--extra-index-url https://download.pytorch.org/whl/cpu" in installs[1]


def test_then_it_stops_with_the_choices_and_never_takes_cuda(setup):
    code, said, installs = setup()
    assert code == 1 and "TORCH_INDEX=" in said and "TORCH=" in said and "no matching torch" in said
    assert len(installs) == 2 and all("+cpu" in line for line in installs)


def test_cuda_comes_when_it_is_chosen_by_name(setup):
    code, said, installs = setup(TORCH="torch==2.13.0", FAKE_ACCEPTS="torch==2.13.0")
    assert code == 0 and "install" in installs[-1] and "+cpu" not in installs[-1], said


def test_a_torch_that_is_there_stays(setup):
    setup(FAKE_ACCEPTS="+cpu")
    code, said, installs = setup()
    assert (code, installs) == (0, []), said


def test_a_mac_takes_the_plain_pin(setup):
    code, said, installs = setup(FAKE_SYSTEM="Darwin", FAKE_ACCEPTS="torch==2.13.0")
    assert code == 0 and len(installs) == 1 and "+cpu" not in installs[0], said


def test_an_old_python_is_named_with_the_way_out(setup):
    code, said, _ = setup(PYTHON="/nonexistent/python3.9")
    assert code == 1 and "3.11" in said and "PYTHON=" in said


def test_a_missing_ensurepip_says_what_to_install(setup):
    code, said, _ = setup(FAKE_NO_ENSUREPIP="1")
    assert code == 1 and "python3-venv" in said


def test_without_a_core_it_says_so_and_goes_on(setup):
    code, said, _ = setup(FAKE_ACCEPTS="+cpu")
    assert code == 0 and "no native core" in said
