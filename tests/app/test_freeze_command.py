"""`bitwright freeze` of a G-Net: its options are those of the function, and win over the recipe's."""

import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright.app.source import Source  # noqa: E402
from bitwright.app.workflow import load_run, train_network  # noqa: E402
from bitwright.cli import main  # noqa: E402
from bitwright.freeze import correct_offsets, freeze  # noqa: E402
from bitwright.freeze.projection import PROJECTIONS  # noqa: E402
from bitwright.ir import load  # noqa: E402
from bitwright.train import Recipe  # noqa: E402


def trained(folder, model, **options):
    recipe = Recipe(name=model, model=model, model_options=options, data="digits", epochs=1, lr=0.01)
    train_network(recipe, Source("digits"), folder, progress=False)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """An embedded network whose recipe says 95 Hadamard signs."""
    folder = tmp_path_factory.mktemp("runs") / "gnet"
    return trained(folder, "gnet", channels=[2], kernels=[3], hidden=[9], hyperdimensions=95, span=16)


def frozen(run, out, *options):
    assert main(["freeze", str(run), "--out", str(out), *map(str, options)]) == 0
    return load(out)


def same(a, b):
    assert [(x.name, x.inputs, x.attrs) for x in a.ops] == [(x.name, x.inputs, x.attrs) for x in b.ops]
    assert all((x.consts[k] == y.consts[k]).all() for x, y in zip(a.ops, b.ops) for k in x.consts)
    return True


def test_options_win_over_the_recipe(run, tmp_path, capsys):
    _, _, data, model = load_run(run)
    plain = frozen(run, tmp_path / "a.bw")
    assert [op.attrs["n_out"] for op in plain.ops if op.name == "project"] == [95, 95, 95]
    assert same(plain, freeze(model, data))
    each = frozen(run, tmp_path / "b.bw", "--hyperdimensions", 31, 65, 127, "--projection", "gaussian", "--seed", 3)
    assert [op.attrs["n_out"] for op in each.ops if op.name == "project"] == [31, 65, 127]
    assert same(each, freeze(model, data, hyperdimensions=[31, 65, 127], projection="gaussian", seed=3))
    assert each.header["embedding"] == {"hyperdimensions": [31, 65, 127], "projection": "gaussian", "seed": 3}
    one = frozen(run, tmp_path / "c.bw", "--hyperdimensions", 33, "--rounds", 1)
    assert same(one, freeze(model, data, hyperdimensions=33, rounds=1)) and one.header["data"] == "digits"
    assert "xnor_linear" in capsys.readouterr().out


def test_offsets_are_corrected_on_training_samples(run, tmp_path):
    _, _, data, model = load_run(run)
    corrected = frozen(run, tmp_path / "a.bw", "--correct", 40)
    assert corrected.header["corrected_samples"] == 40
    assert same(corrected, correct_offsets(freeze(model, data), model, data.x_train[:40]))


def test_errors_name_the_option_and_the_way_out(run, tmp_path, capsys):
    def error(*options):
        assert main(["freeze", *map(str, options), "--out", str(tmp_path / "x.bw")]) == 2
        return capsys.readouterr().err

    signs = trained(tmp_path / "signs", "sign_mlp", hidden=[8])
    told = error(signs, "--hyperdimensions", 511, "--correct", 5)
    assert "hyperdimensions, correct given" in told and "sign_mlp has no cosine layer" in told and "train" in told
    assert "seed given" in error(signs, "--seed", 4) and "rounds given" in error(signs, "--rounds", 2)
    assert "cosine layers: 3" in error(run, "--hyperdimensions", 31, 31, 31, 31)
    assert "no number for cosine layer 2" in error(run, "--hyperdimensions", 31, 31)
    assert "no length" in error(run, "--hyperdimensions", 0) and "rounds is 0" in error(run, "--rounds", 0)
    assert "choose one of gaussian" in error(run, "--projection", "haar")
    assert "correct is -1" in error(run, "--correct", -1)
    assert not (tmp_path / "x.bw").exists()


def test_help_names_every_projection(capsys):
    with pytest.raises(SystemExit):
        main(["freeze", "--help"])
    told = capsys.readouterr().out
    assert all(name in told for name in PROJECTIONS) and "--hyperdimensions" in told and "mnist_gnet" in told
