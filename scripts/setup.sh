#!/bin/sh
# Sets up $VENV (default .venv): Python >= 3.11, torch on the CPU, bitwright in editable form with its native core.
# `make setup` calls it. Choices by environment: PYTHON, TORCH, TORCH_INDEX, EXTRAS, VENV (see the Makefile's head).
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
extras=${EXTRAS:-train,test}
torch_pin=2.13.0
torch_index=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}

say() { printf '%s\n' "$*"; }
stop() { say "setup: $*" >&2; exit 1; }

# --- Python -------------------------------------------------------------------------------------------------------
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if "$candidate" -c "$new_enough" >/dev/null 2>&1; then python=$candidate; break; fi
done
[ -n "$python" ] || stop "no Python 3.11 or newer found (looked for: ${PYTHON:-python3, python3.14 to python3.11, python}).
  Install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python), or name it: make setup PYTHON=/path/to/python3.12"

# --- the virtual environment --------------------------------------------------------------------------------------
version='import sys; print(*sys.version_info[:2])'
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1 ||
    { [ -n "${PYTHON:-}" ] && [ "$("$venv/bin/python" -c "$version")" != "$("$python" -c "$version")" ]; }; then
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        stop "$python cannot make a virtual environment: its 'ensurepip' is missing.
  Debian, Ubuntu: apt-get install python3-venv; or name another Python: make setup PYTHON=/path/to/python3.12"
    say "setup: making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi
py=$venv/bin/python
pip() { "$py" -m pip --disable-pip-version-check "$@"; }

# --- torch: one that is there, the one chosen by TORCH=, or the CPU build; never CUDA by accident -----------------------
has_torch() { "$py" -c 'import torch, sys; sys.exit(tuple(map(int, torch.__version__.split(".")[:2])) < (2, 10))' >/dev/null 2>&1; }
log=$venv/torch.log
install_torch() {
    say "setup: installing $* (some 200 MB; its own progress bar follows)"
    pip install --constraint constraints.txt "$@" 2>>"$log"
}
: >"$log"
if [ -n "${TORCH:-}" ]; then
    if [ "$(cat "$venv/.torch" 2>/dev/null)" != "$TORCH" ] || ! has_torch; then
        pip uninstall --quiet --yes torch 2>/dev/null || true
        install_torch "$TORCH" ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} || { cat "$log" >&2; stop "pip could not install '$TORCH'"; }
        has_torch || stop "'$TORCH' does not import or is older than 2.10; choose another: make setup TORCH=torch==$torch_pin"
        say "$TORCH" >"$venv/.torch"
    fi
elif has_torch; then
    :
elif [ "$(uname -s)" = Darwin ]; then
    install_torch "torch==$torch_pin" || { cat "$log" >&2; stop "pip could not install torch==$torch_pin; choose one: make setup TORCH='torch>=2.10'"; }
else
    install_torch "torch==$torch_pin+cpu" ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} ||
        install_torch "torch==$torch_pin+cpu" --extra-index-url "$torch_index" || {
        cat "$log" >&2
        stop "no CPU build of torch $torch_pin found, in pip's own sources or at $torch_index. Choose one:
  make setup TORCH_INDEX=url-of-an-index-with-torch-$torch_pin+cpu    another source of the CPU build
  make setup TORCH=/path/to/torch-$torch_pin+cpu-....whl              a file you have
  make setup TORCH=torch==$torch_pin                                  whatever the package index has: on Linux CUDA, gigabytes
  pip install numpy tyro rich && pip install --no-deps .        no torch at all: load, run, predict and verify Programs"
    }
fi

# --- the package ---------------------------------------------------------------------------------------------------
say "setup: installing bitwright[$extras] and building the native core"
pip install --quiet --constraint constraints.txt --editable ".[$extras]"
[ -e src/bitwright/native/libbw_run.so ] || say "setup: no native core (no C compiler?). bitwright runs on its NumPy interpreter, slowly.
  Debian, Ubuntu: apt-get install gcc; macOS: xcode-select --install; then make setup again"
say "${CHOICES:-}" >"$venv/.choices"
say "setup: done; $venv/bin/bitwright doctor says what is present"
