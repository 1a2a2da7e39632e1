"""`fit`: it learns, by the formulas and the options of its recipe; test_resume.py has checkpoints."""

import builtins
import json
import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from bands import FIELDS, made_up, network, same_state
from torch import nn

from bitwright.data import from_arrays
from bitwright.models import create_model
from bitwright.train import (
    Recipe,
    evaluate,
    fit,
    load_checkpoint,
    predict_scores,
    train_recipe,
)
from bitwright.train.optimizers import make_optimizer
from bitwright.train.steps import loss_of, refresh_batchnorm


def test_it_learns_and_reports(tmp_path, capsys):
    data = made_up()
    result = fit(network(pair="identity"), data, folder=tmp_path, **{**FIELDS, "epochs": 12, "augment": {}})
    assert result.val_accuracy > 90 and not result.model.training
    assert result.val_accuracy == evaluate(result.model, data.x_val, data.y_val) == result.history[-1]["val_accuracy"]
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == list(range(1, 13)) and rows[-1]["loss"] < rows[0]["loss"]
    printed = capsys.readouterr().err
    assert "epoch 12/12" in printed and "validation" in printed


def test_evaluate_is_the_share_of_right_answers_first_index_wins():
    class Fixed(nn.Module):
        def forward(self, x):
            return x

    x = np.array([[1, 1, 0], [0, 2, 1], [3, 0, 3]], np.float32)
    assert evaluate(Fixed(), x, np.array([0, 1, 2])) == pytest.approx(200 / 3)
    assert math.isnan(evaluate(Fixed(), x[:0], np.array([], np.int64)))
    assert predict_scores(Fixed(), x, batch_size=2).shape == (3, 3)


def test_same_seed_same_weights_and_the_callers_generator_is_untouched():
    state = torch.get_rng_state()
    runs = []
    for seed in (0, 0, 1):
        model = network()
        torch.set_rng_state(state)
        fit(model, made_up(), progress=False, seed=seed, **FIELDS)
        runs.append(model)
        assert torch.equal(torch.get_rng_state(), state)
    assert same_state(runs[0], runs[1]) and not same_state(runs[0], runs[2])


def test_schedules_end_exactly_and_latents_are_clipped(tmp_path):
    model = network()
    fit(model, made_up(), progress=False, clip_latent=0.25, **{**FIELDS, "lr": 0.5})
    latent = model[1].weight
    assert float(model.state_dict()["1.weight_quantizer.sharpness"]) == 30.0
    assert float(latent.detach().abs().max()) == 0.25


def test_weight_decay_spares_vectors():
    groups = make_optimizer(network(), Recipe(weight_decay=0.1)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert all(p.dim() > 1 for p in groups[0]["params"]) and all(p.dim() == 1 for p in groups[1]["params"])
    kinds = [type(make_optimizer(network(), Recipe(optimizer=name))).__name__ for name in ("adam", "adamw", "sgd")]
    assert kinds == ["Adam", "AdamW", "SGD"]


def test_distillation_loss_is_its_formula():
    rng = np.random.default_rng(0)
    scores, taught, labels = rng.normal(size=(5, 4)), rng.normal(size=(5, 4)), rng.integers(0, 4, 5)

    def softmax(v):
        e = np.exp(v - v.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    plain = -np.log(softmax(scores)[np.arange(5), labels]).mean()
    soft, mine = softmax(taught / 3), softmax(scores / 3)
    apart = (soft * (np.log(soft) - np.log(mine))).sum(1).mean()
    recipe = Recipe.from_dict({"distill": {"weight": 0.7, "temperature": 3.0}})
    got = loss_of(torch.tensor(scores), torch.tensor(labels), torch.tensor(taught), recipe)
    assert float(got) == pytest.approx(0.3 * plain + 0.7 * 9 * apart)
    assert float(loss_of(torch.tensor(scores), torch.tensor(labels), None, recipe)) == pytest.approx(plain)


def test_a_teacher_teaches():
    data = made_up()
    with pytest.raises(ValueError, match="no teacher was given"):
        fit(network(), data, distill={"weight": 0.5})
    with pytest.raises(ValueError, match="a teacher was given but distill.weight is 0"):
        fit(network(), data, teacher=network())
    with pytest.raises(ValueError, match=r"teacher's scores have shape \(\d+, 7\), the network's \(\d+, 3\)"):
        fit(network(), data, teacher=nn.Sequential(nn.Flatten(), nn.Linear(36, 7)), distill={"weight": 0.5},
            progress=False)  # fmt: skip

    class Teacher(nn.Module):  # says class 2 whatever it sees
        def forward(self, x):
            return torch.tensor([[0.0, 0.0, 50.0]]).expand(len(x), 3)

    fields = {**FIELDS, "epochs": 20, "augment": {}, "distill": {"weight": 1.0, "temperature": 1.0}}
    model = fit(network(pair="identity"), data, teacher=Teacher(), progress=False, **fields).model
    assert (predict_scores(model, data.x_val).argmax(1) == 2).float().mean() > 0.9


def test_a_live_teacher_sees_what_the_student_sees():
    seen = []

    class Teacher(nn.Module):
        def forward(self, x):
            seen.append(x)
            return torch.zeros(len(x), 3)

    data, model, shown = made_up(), network(), []
    model.register_forward_pre_hook(lambda module, args: shown.append(args[0]) if module.training else None)
    fit(model, data, teacher=Teacher(), progress=False,
        **{**FIELDS, "epochs": 1, "augment": {"noise": 3.0}, "distill": {"weight": 0.5, "live": True}})  # fmt: skip
    assert len(seen) == len(shown) > 1 and all(torch.equal(a, b) for a, b in zip(seen, shown, strict=True))


def test_a_recipe_names_its_teacher_and_seeds_share_it(tmp_path):
    text = 'data = "bands"\nfloat_twin = true\nepochs = 2\n[model_options]\nhidden = [9]\n'
    (tmp_path / "big.toml").write_text(text)
    data = made_up()
    data.input, data.classes = SimpleNamespace(shape=(1, 6, 6)), ["a", "b", "c"]
    distill = {"weight": 0.5, "teacher": str(tmp_path / "big.toml"), "teacher_seed": 4}
    recipe = Recipe.from_dict({"name": "small", "epochs": 1, "model_options": {"hidden": [8]}, "distill": distill})
    for seed in (0, 1):
        train_recipe(recipe.with_seed(seed), tmp_path / f"small-seed{seed}", data=data, progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["big-seed4", "big.toml", "small-seed0", "small-seed1"]
    with pytest.raises(FileNotFoundError, match="'none': neither a file nor a recipe"):
        train_recipe(recipe.override({"distill.teacher": "none"}), data=data)
    with pytest.raises(ValueError, match="names no recipe"):
        train_recipe(recipe.override({"distill.teacher": ""}), data=data)


def test_a_second_stage_starts_where_the_first_ended(tmp_path):
    text = 'data = "bands"\nepochs = 2\nlr = 0.01\n[model_options]\nhidden = [8]\n'
    (tmp_path / "first.toml").write_text(text)
    data = made_up()
    data.input, data.classes = SimpleNamespace(shape=(1, 6, 6)), ["a", "b", "c"]
    fields = {"name": "second", "epochs": 1, "lr": 0.0, "model_options": {"hidden": [8]}, "seed": 3}
    recipe = Recipe.from_dict({**fields, "start": str(tmp_path / "first.toml")})
    second = train_recipe(recipe, tmp_path / "second-seed3", data=data, progress=False).model
    first = load_checkpoint(tmp_path / "first-seed3" / "checkpoint.pt")["model"]
    for key, value in second.named_parameters():  # a rate of 0 moves nothing
        assert torch.equal(value, first[key]), key


def test_batchnorm_refresh_is_the_plain_average():
    norm = nn.BatchNorm1d(4)
    batches = [torch.randn(8, 4) * 3 + i for i in range(5)]
    refresh_batchnorm(norm, batches)
    want = torch.stack([b.mean(0) for b in batches]).mean(0)
    torch.testing.assert_close(norm.running_mean, want)
    torch.testing.assert_close(norm.running_var, torch.stack([b.var(0) for b in batches]).mean(0))
    assert norm.momentum == 0.1


def test_bf16_autocast_trains_and_evaluates_in_float32():
    data = made_up()
    fields = {**FIELDS, "epochs": 12, "augment": {}, "autocast": "bf16"}
    result = fit(network(pair="identity"), data, progress=False, **fields)
    assert result.val_accuracy > 80 and predict_scores(result.model, data.x_val).dtype == torch.float32


def test_a_convolution_trains_on_images_of_any_memory_format():
    model = create_model("sign_cnn", seed=0, shape=(1, 6, 6), classes=3, channels=(8,), pool=(True,), hidden=())
    result = fit(model, made_up(), progress=False, **{**FIELDS, "epochs": 8, "augment": {}})
    assert result.val_accuracy > 60


def test_it_works_without_rich(monkeypatch, capsys):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split(".")[0] in ("rich", "tyro"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    fit(network(), made_up(), **FIELDS)
    assert "epoch 3/3" in capsys.readouterr().err


def test_errors_name_the_way_out():
    empty = SimpleNamespace(name="void", x_train=np.zeros((0, 1, 6, 6), np.uint8))
    with pytest.raises(ValueError, match="'void' has no training examples"):
        fit(network(), empty)
    with pytest.raises(ValueError, match="did you mean 'epochs'"):
        fit(network(), made_up(), epocs=3)
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="use device='cpu' or 'auto'"):
            fit(network(), made_up(), device="cuda")
    with pytest.raises(ValueError, match="the loss is nan after epoch 1"):
        broken = network()
        broken[2].weight.data.fill_(float("nan"))
        fit(nn.Sequential(*broken[:3], nn.Linear(16, 3)), made_up(), progress=False, **FIELDS)


def test_denormal_numbers_are_left_as_they_were():
    data = from_arrays(np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32), np.arange(60) % 2)
    fit(nn.Sequential(nn.Linear(4, 2)), data, epochs=1, progress=False)
    assert float(torch.tensor(1e-40) * 1) > 0


def test_batch_norms_are_estimated_anew_on_what_training_saw():
    data = made_up()
    data.x_train = np.full_like(data.x_train, 200)  # shifted images have dark borders, these have none
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(36, 3))
    recipe = {"epochs": 1, "batch_size": 36, "progress": False, "batchnorm_batches": 5}
    plain = fit(model, data, **recipe).model[0].running_mean.item()
    shifted = fit(model, data, augment={"shift": 2}, **recipe).model[0].running_mean.item()
    assert plain == 200
    assert shifted == pytest.approx(200 * (4.8 / 6) ** 2, rel=0.1)  # -2 to 2 places each way: 1.2 are lost
