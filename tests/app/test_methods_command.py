"""`bitwright methods`: the table is complete, the page in docs is current, the plots say what formulas say."""

import re
from pathlib import Path

import numpy as np
import pytest

from bitwright import cli
from bitwright.app import methods, methods_plots
from bitwright.app.methods_usage import USAGE
from bitwright.quantizers import METHODS, QUANTIZERS
from bitwright.quantizers.formulas import FORMULAS
from bitwright.quantizers.fourier import fda
from bitwright.quantizers.theory.check import functions_of
from bitwright.train import Recipe

DOCS = Path(__file__).resolve().parents[2] / "docs"
NUMBER = re.compile(r"-?\d+\.?\d*")


def test_every_quantizer_has_its_formula_and_every_method_its_row(capsys):
    assert set(FORMULAS) == set(QUANTIZERS)
    assert cli.main(["methods"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == list(METHODS)
    verdicts = {row.method: (row.weight_verdicts, row.activation_verdicts) for row in methods.rows()}
    assert verdicts["bnn++"] == ("yes, yes", "yes, yes") and verdicts["irnet"] == ("no, no", "no, no")
    assert verdicts["bireal"] == ("yes, yes", "no, no")  # clipped weights, ApproxSign activations


def test_the_page_in_docs_is_what_the_command_writes(tmp_path, capsys):
    assert cli.main(["methods", "--write", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    for name in (methods.PAGE, methods.CURVES, methods.ERRORS, methods.CONVERGENCE):
        fresh, kept = (path.read_text(encoding="utf-8") for path in (tmp_path / name, DOCS / name))
        assert NUMBER.sub("#", fresh) == NUMBER.sub("#", kept), f"{name} is old; bitwright methods --write docs"
        if name.endswith(".svg"):  # another machine's rounding may move a point a little
            a, b = (np.array(NUMBER.findall(text), float) for text in (fresh, kept))
            assert np.abs(a - b).max() < 0.25
        else:
            assert fresh == kept, f"{name} is old; bitwright methods --write docs"


@pytest.mark.parametrize("name", METHODS)
def test_one_method_in_full_says_how_it_is_used(name, capsys):
    assert cli.main(["methods", name]) == 0
    said = capsys.readouterr().out
    method = METHODS[name]
    assert f'  method = "{name}"' in said and method.source in said and method.note in said
    for quantizer in (method.weights, method.activations):
        assert f": {quantizer}\n" in said
    assert all(text in said for text in FORMULAS[method.weights])


def test_an_unknown_method_names_the_nearest(capsys):
    assert cli.main(["methods", "irnett"]) == 2
    assert "did you mean 'irnet'" in capsys.readouterr().err


def test_the_examples_of_the_page_run(capsys):
    examples = re.findall(r"```python\n(.*?)```", USAGE, re.DOTALL)
    assert len(examples) == 3
    for text in examples:
        names: dict = {}
        exec(text, names)
        if "optimizer" in names:
            assert set(names["weight"].tolist()) <= {-1.0, 1.0}
    said = capsys.readouterr().out.splitlines()
    verdicts = [line.split()[1].strip(",") for line in said if line.startswith("exact")]
    assert verdicts == ["yes", "no", "no"]  # ours, IR-Net, sign with a bell


def test_the_recipes_of_the_page_are_recipes(tmp_path):
    for i, text in enumerate(re.findall(r"```toml\n(.*?)```", USAGE, re.DOTALL)):
        (tmp_path / f"{i}.toml").write_text(text)
        recipe = Recipe.from_toml(tmp_path / f"{i}.toml")
        assert recipe.model_options
    assert i == 1 and recipe.prox.update == "pc"


def test_the_truncated_series_is_exact_up_to_its_last_term_and_has_nothing_beyond():
    omega = 2 * np.pi / methods_plots.PERIOD
    error = methods_plots.harmonic_errors(functions_of(fda(omega=omega), {"terms": 9.0})[1])
    np.testing.assert_allclose(error[:10], 0, atol=1e-5)
    np.testing.assert_allclose(error[10:], 1, atol=1e-5)


def test_the_error_of_the_clipped_gradient_is_that_of_a_box():
    omega, k = np.pi / 2, np.arange(1, 62, 2)
    amplitude = omega / np.pi * 2 * np.sin(k * omega) / (k * omega)
    want = np.abs(amplitude / (4 * omega / np.pi) - 1)
    got = methods_plots.harmonic_errors(lambda t: (np.abs(t) <= 1).astype(float))
    assert got == pytest.approx(want, abs=2e-3)
