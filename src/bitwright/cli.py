"""The command line: parse, call one public function, print. Only the command that was asked for builds its parser.

A problem with the input is one line, `bitwright: error: ...`, and exit code 2; BITWRIGHT_DEBUG=1 shows the traceback.
"""

import difflib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace

import bitwright
from bitwright.app import commands
from bitwright.app.campaign.command import campaign_command
from bitwright.app.exporting import export_command
from bitwright.app.faults import faults_command
from bitwright.app.methods import methods_command
from bitwright.app.sweep import sweep_command
from bitwright.app.training import train_command

COMMANDS: dict[str, Callable] = {
    "train": train_command,
    "sweep": sweep_command,
    "freeze": commands.freeze,
    "verify": commands.verify,
    "eval": commands.evaluate,
    "predict": commands.predict,
    "summary": commands.summary,
    "bench": commands.bench,
    "export": export_command,
    "methods": methods_command,
    "papers": commands.papers,
    "campaign": campaign_command,
    "faults": faults_command,
    "doctor": commands.doctor,
    "demo": commands.demo,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0, 1 for a negative answer (verify), 2 for bad input, 130 for Ctrl-C."""
    name, *rest = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in ("-h", "--help", "help"):
        print(overview())
        return 0
    if name in ("-V", "--version"):
        print(f"bitwright {bitwright.__version__}")
        return 0
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        return fail(f"no command {name!r}; {meant}Commands: {', '.join(COMMANDS)}")
    try:
        return run(name, rest) or 0
    except KeyboardInterrupt as stop:
        print(f"\nbitwright: {stop or 'stopped'}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `bitwright predict ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("BITWRIGHT_DEBUG"):
            raise
        return fail(describe(error))


def run(name: str, rest: Sequence[str]) -> int | None:
    import tyro

    command = COMMANDS[name]
    if name == "train":  # the recipe that is named gives the defaults, so the parser is made for it
        command, rest = train_command(rest)
    text, _, examples = (command.__doc__ or "").split("Args:")[0].partition("Example")
    lines = [" ".join(text.split()), *(line.strip() for line in f"Example{examples}".strip().splitlines())]
    description = "\n\n".join(lines)  # a paragraph each, so that tyro leaves an example a line of its own
    flags = (tyro.conf.FlagCreatePairsOff,) if name != "train" else ()
    with without_typeguard():
        return tyro.cli(command, prog=f"bitwright {name}", description=description, args=rest, config=flags)


@contextmanager
def without_typeguard() -> Iterator[None]:
    """Spares `--help` a third of its time: tyro imports typeguard (and with it asyncio) to check a recipe's defaults,
    which Recipe has checked already."""
    given = sys.modules.get("typeguard")
    sys.modules["typeguard"] = SimpleNamespace(check_type=lambda *_: None, TypeCheckError=TypeError)  # type: ignore
    try:
        yield
    finally:
        del sys.modules["typeguard"]
        if given is not None:
            sys.modules["typeguard"] = given


def describe(error: Exception) -> str:
    """The error's own words; for one nobody foresaw, also its type and how to see where it came from."""
    if isinstance(error, ModuleNotFoundError) and error.name in ("torch", "safetensors", "PIL"):
        return f"this needs {error.name}, which is not installed: pip install 'bitwright[train]'"
    words = " ".join(str(error.args[0] if isinstance(error, KeyError) and error.args else error).split())
    if isinstance(error, ValueError | OSError | ImportError | TypeError):
        return words or type(error).__name__
    return f"{type(error).__name__}: {words} (BITWRIGHT_DEBUG=1 shows where)"


def fail(message: str) -> int:
    print(f"bitwright: error: {message}", file=sys.stderr)
    return 2


def overview() -> str:
    lines = ["usage: bitwright COMMAND [options]", "", "Binary neural networks, from training to the same bits.", ""]
    for name, command in COMMANDS.items():
        lines.append(f"  {name:10} {(command.__doc__ or '').strip().splitlines()[0].rstrip('.')}")
    return "\n".join([*lines, "", "bitwright COMMAND --help shows a command's options and an example."])


if __name__ == "__main__":
    sys.exit(main())
