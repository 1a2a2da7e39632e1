"""The direction of the imports: which room may know which, and what importing the package may touch.

The arrows are read from the sources (every import statement, also those inside functions), not from what happens to be
imported; the second half asks a fresh Python what `import bitwright` really loads.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[1] / "src" / "bitwright"
TORCH = {"torch", "safetensors"}

# Room -> (rooms it may import, packages it may import). A room or package that is not here is an error.
ARROWS = {
    "bits": (set(), {"numpy"}),
    "ir": ({"bits"}, {"numpy"}),
    "passes": ({"ir", "bits"}, {"numpy", "aigverse"}),
    "backends": ({"ir", "bits"}, {"numpy"}),
    "data": (set(), {"numpy", "PIL", "rich", "torch"}),  # inside functions: images, progress, augmentation on tensors
    "quantizers": ({"bits"}, {"numpy", *TORCH}),
    "layers": ({"quantizers", "ir", "bits"}, {"numpy", "triton", *TORCH}),  # on GPUs, where torch has brought it
    "models": ({"layers", "quantizers", "ir", "bits"}, {"numpy", *TORCH}),
    "freeze": ({"layers", "quantizers", "ir", "bits", "passes", "data"}, {"numpy", *TORCH}),
    "train": ({"models", "layers", "quantizers", "data", "freeze", "ir", "bits"}, {"numpy", "rich", *TORCH}),
    "app": (
        {"models", "layers", "quantizers", "data", "freeze", "train", "ir", "bits", "backends", "bench"},
        {"numpy", "rich", "tyro", "optuna", *TORCH},
    ),
    "bench": (
        {"models", "layers", "quantizers", "data", "freeze", "train", "ir", "bits", "passes", "backends"},
        {"numpy", "rich", *TORCH},
    ),
}
NEVER = [("backends", "torch"), ("ir", "torch"), ("layers", "backends"), ("bits", "torch"), ("freeze", "backends")]


def imports_of(source: str, package: list[str]) -> set[str]:
    """Dotted names a source imports, relative ones resolved against `package`; TYPE_CHECKING blocks count too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names.add(module)
            if module == "bitwright" or not node.module:  # `from bitwright import ir`, `from . import x`
                names.update(f"{module}.{alias.name}" for alias in node.names)
                names.discard(module)
    return names


def reaches(name: str) -> tuple[str, str]:
    """('room', x) for bitwright.x, ('package', x) for anything that is neither standard library nor ours."""
    first, _, rest = name.partition(".")
    if first == "bitwright":
        return "room", rest.split(".")[0]
    return ("library", first) if first in sys.stdlib_module_names else ("package", first)


def room_files():
    return [path for path in sorted(SOURCES.rglob("*.py")) if path.parent != SOURCES]


def test_imports_of_resolves_every_form():
    source = "import a.b\nfrom . import c\nfrom ..ir import d\nfrom bitwright import e\ndef f():\n    import g\n"
    assert imports_of(source, ["bitwright", "bits"]) == {"a.b", "bitwright.bits.c", "bitwright.ir", "bitwright.e", "g"}


@pytest.mark.parametrize("path", room_files(), ids=lambda path: str(path.relative_to(SOURCES)))
def test_every_import_follows_an_arrow(path):
    parts = path.relative_to(SOURCES).parts
    room = parts[0]
    assert room in ARROWS, f"{room}/ is a new room: give it its line in ARROWS"
    rooms, packages = ARROWS[room]
    for name in imports_of(path.read_text(), ["bitwright", *parts[:-1]]):
        kind, target = reaches(name)
        if kind == "room":
            assert target == room or target in rooms, f"{path.name} imports {name}: no arrow from {room} to {target}"
        elif kind == "package":
            assert target in packages, f"{path.name} imports {name}: {room} may import {sorted(packages)}"


def test_the_table_itself_keeps_the_promises_of_the_design():
    for room, target in NEVER:
        rooms, packages = ARROWS[room]
        assert target not in rooms | packages
    for room, (rooms, _) in ARROWS.items():  # no way round either: a room never reaches itself again
        seen, queue = set(), list(rooms)
        while queue:
            seen.add(step := queue.pop())
            queue += ARROWS[step][0] - seen
        assert room not in seen, f"{room} reaches itself"


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_the_package_loads_numpy_at_most():
    more = loaded_by("import bitwright") - loaded_by("import numpy, importlib.metadata")
    ours = {name for name in more if name.split(".")[0] == "bitwright"}
    assert not {"torch", "rich", "tyro", "PIL", "safetensors"} & more
    assert len(ours) <= 3, f"import bitwright should load no room: {sorted(ours)}"
    assert len(more - ours) <= 5, f"modules beyond NumPy: {sorted(more - ours)}"


@pytest.mark.parametrize("name", ["load", "load_data", "from_arrays", "Program", "pretrained"])
def test_running_a_program_needs_no_torch(name):
    more = loaded_by(f"import bitwright\nbitwright.{name}")
    assert not {"torch", "rich", "tyro", "PIL"} & more


def test_a_room_never_hides_the_public_name():
    code = "import bitwright.freeze, bitwright\nassert callable(bitwright.freeze), bitwright.freeze"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_says_what_there_is():
    import bitwright

    with pytest.raises(AttributeError, match="create_model"):
        bitwright.creat_model  # noqa: B018
