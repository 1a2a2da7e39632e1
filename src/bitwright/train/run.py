"""One training run, epoch by epoch: what `fit` drives. Its position, checkpoint and random numbers belong together.

Shuffling and augmentation draw from generators seeded by (seed, epoch, step), so a position alone restores them.
"""

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..layers.accumulator import excess_watched
from ..quantizers import set_progress
from .augment import augment
from .average import Average
from .checkpoint import check_same_run, load_checkpoint, model_identity, restore_rng_states, rng_states, save_checkpoint
from .health import Health
from .layout import layout_kept
from .metrics import MetricsLog, evaluate, predict_scores
from .mix import mix
from .optimizers import make_optimizer
from .parallel import Team
from .progress import TrainProgress
from .projection import relaxed_quantizers, soft_accuracy
from .proximal import ProxConnect
from .recipe import Augment, Recipe
from .regularize import pull_to_two_values
from .schedules import learning_rate
from .steps import (
    clip_latent,
    data_mark,
    generator,
    latent_weights,
    loss_of,
    pick_device,
    refresh_batchnorm,
    settle_restarts,
)  # fmt: skip
from .stop import TrainingInterrupted, ctrl_c

CHECKPOINT = "checkpoint.pt"
AVERAGED_BATCHES = 100  # for batch norm statistics of averaged weights, where the recipe does not say how many
GO_ON = "continue with the same command and --resume, or fit(..., resume=True)"
HEALTH_SAMPLES = 256  # of the training split, as they are


@dataclass
class FitResult:
    """What `fit` returns. val_accuracy: percent of the last epoch, nan without a validation split."""

    model: nn.Module
    recipe: Recipe
    val_accuracy: float
    seconds: float
    history: list[dict[str, Any]] = field(default_factory=list)
    checkpoint: Path | None = None


class Diverged(ValueError):
    """The loss is no number any more."""


class Run:
    def __init__(self, model: nn.Module, data, recipe: Recipe, folder: Path | None, teacher: nn.Module | None,
                 optimizer: Callable[[nn.Module], Any] | None = None):  # fmt: skip
        self.recipe, self.data, self.folder = recipe, data, folder
        self.device = pick_device(recipe.device)
        self.model = model.to(self.device)
        if data.x_train.ndim == 4:
            self.model = self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.x = torch.from_numpy(data.x_train).to(self.device)
        self.y = torch.from_numpy(data.y_train).to(self.device)
        self.batch = min(recipe.batch_size, len(self.x))
        self.steps = max(1, len(self.x) // self.batch)  # of an epoch; the odd rest comes in through shuffling
        self.total = self.steps * recipe.epochs
        self.team = Team(self.device, self.batch)
        self.network = self.team.wrap(self.model, self.device)
        self.optimizer = make_optimizer(self.model, recipe) if optimizer is None else optimizer(self.model)
        self.average = Average(self.model, recipe.average) if recipe.average else None
        proximal = isinstance(self.optimizer, ProxConnect)  # which clips its latent weights itself
        self.latent = [] if proximal else latent_weights(self.model)
        self.augmented = replace(recipe.augment, mixup=0.0, cutmix=0.0) != Augment()
        self.mixed = bool(recipe.augment.mixup or recipe.augment.cutmix)
        self.epoch, self.step, self.before, self.finished = 0, 0, 0.0, False
        self.loss_sum: float | torch.Tensor = 0.0
        self.history: list[dict[str, Any]] = []
        self.health = Health(self.model, self.x[:HEALTH_SAMPLES].float(), self.y[:HEALTH_SAMPLES])
        self.mark = data_mark(data.x_train, data.y_train)
        self.path = None if folder is None else folder / CHECKPOINT
        self.taught: torch.Tensor | None = None
        self.teacher: nn.Module | None = None
        if teacher is not None and recipe.distill.weight and recipe.distill.live:
            self.teacher = teacher.to(self.device).eval()
        elif teacher is not None and recipe.distill.weight:
            self.taught = predict_scores(teacher.to(self.device), data.x_train).to(self.device)

    # checkpoint -----------------------------------------------------------------------------------------------------
    def save(self) -> None:
        if self.path is None:
            return
        state = {
            "identity": model_identity(self.model), "recipe": self.recipe.to_dict(), "data_mark": self.mark,
            "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "rng": rng_states(),
            "epoch": self.epoch, "step": self.step, "loss_sum": float(self.loss_sum), "history": self.history,
            "seconds": self.before + time.monotonic() - self.started, "finished": self.finished,
        }  # fmt: skip
        if self.finished:  # nothing goes on from here
            del state["optimizer"]
        if self.average is not None:
            state["average"] = self.average.state_dict()
        save_checkpoint(self.path, state)
        self.saved = time.monotonic()

    def restore(self) -> None:
        assert self.path is not None
        state = load_checkpoint(self.path)
        check_same_run(self.path, state, self.model, self.recipe.to_dict(), self.mark)
        self.model.load_state_dict(state["model"])
        if "optimizer" in state:
            self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.epoch, self.step, self.loss_sum = state["epoch"], state["step"], state["loss_sum"]
        self.history, self.before = state["history"], state["seconds"]
        self.finished = state.get("finished", self.epoch >= self.recipe.epochs)
        restore_rng_states(state["rng"])

    # training -------------------------------------------------------------------------------------------------------
    def train(self, progress: bool) -> FitResult:
        self.started = self.saved = time.monotonic()
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.log = MetricsLog(self.folder / "metrics.jsonl", keep=len(self.history))
        shown = TrainProgress(self.recipe.name, self.recipe.epochs, self.total, progress)
        with ctrl_c() as pressed, shown as show, layout_kept(self.model):
            while self.epoch < self.recipe.epochs:
                self.train_epoch(pressed, show)
            if not self.finished:
                self.finish()
            if pressed.is_set() and self.path is not None:
                raise TrainingInterrupted(f"interrupted when the training was over; saved {self.path}; {GO_ON}")
        accuracy = evaluate(self.model.eval(), self.data.x_val, self.data.y_val)
        self.model.cpu()
        seconds = self.before + time.monotonic() - self.started
        return FitResult(self.model, self.recipe, accuracy, seconds, self.history, self.path)

    def train_epoch(self, pressed: threading.Event, show: TrainProgress) -> None:
        self.model.train()
        order = torch.randperm(len(self.x), generator=generator(self.recipe.seed, self.epoch)).to(self.device)
        while self.step < self.steps:
            self.loss_sum += self.train_step(order[self.step * self.batch : (self.step + 1) * self.batch])
            self.step += 1
            show.step(self.epoch * self.steps + self.step)
            if pressed.is_set():
                self.interrupt(show)
            if time.monotonic() - self.saved > self.recipe.checkpoint_seconds:
                self.save()
        self.end_epoch(show)

    def train_step(self, rows: torch.Tensor) -> torch.Tensor:
        recipe, at = self.recipe, self.epoch * self.steps + self.step
        rate = learning_rate(recipe, at, self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        set_progress(self.model, at / max(self.total - 1, 1))
        if callable(move := getattr(self.optimizer, "set_progress", None)):
            move(at / max(self.total - 1, 1))
        x, partner, share = self.batch_of(rows, self.epoch, self.step)
        others = None if partner is None else self.team.mine(rows[partner])
        self.optimizer.zero_grad()
        loss = self.gradients(self.team.mine(x), self.team.mine(rows), others, share)
        self.optimizer.step()
        if recipe.clip_latent:
            clip_latent(self.latent, recipe.clip_latent)
        if self.average is not None:
            self.average.update()
        return loss  # stays on its device: reading it would make the processor wait every step

    def batch_of(self, rows: torch.Tensor, *place: int) -> tuple[torch.Tensor, torch.Tensor | None, float]:
        """(x, partner, share) of these examples as training sees them, drawn anew for each place; partner: with whom
        each was joined, keeping the share `share`, or None."""
        x = self.x[rows].float()
        if self.augmented:
            x = augment(x, self.recipe.augment, generator(self.recipe.seed, *place))
        if not self.mixed:
            return x, None, 1.0
        x, partner, share = mix(x, self.recipe.augment, generator(self.recipe.seed, *place, 1))
        return x, partner.to(rows.device, non_blocking=True), share

    def gradients(self, x: torch.Tensor, rows: torch.Tensor, others: torch.Tensor | None, share: float) -> torch.Tensor:
        """Adds the gradients of the mean loss, part by part; gives the loss, float64.

        rows: examples that x was made of. others: with whom each was joined, keeping the share `share`; None: nobody.
        """
        if self.recipe.accumulate == 1:
            loss = self.loss(x, rows, others, share)
            loss.backward()
            return loss.detach().double()
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for part in torch.arange(len(x), device=self.device).tensor_split(min(self.recipe.accumulate, len(x))):
            loss = self.loss(x[part], rows[part], None if others is None else others[part], share)
            loss = loss * (len(part) / len(x)) if len(part) < len(x) else loss
            loss.backward()
            total += loss.detach().double()
        return total

    def loss(self, x: torch.Tensor, rows: torch.Tensor, others: torch.Tensor | None, share: float) -> torch.Tensor:
        if x.dim() == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        half = self.recipe.autocast == "bf16"
        cast = torch.autocast(self.device.type, torch.bfloat16, enabled=half)
        watched = excess_watched(self.model) if self.recipe.overflow_penalty else nullcontext([])
        with cast, watched as excesses:
            scores = self.network(x).float()
        shown: torch.Tensor | None = None
        if self.teacher is not None:
            with torch.no_grad(), cast:
                shown = self.teacher(x).float()

        def of(examples: torch.Tensor) -> torch.Tensor:
            taught = shown if self.taught is None else self.taught[examples]
            return loss_of(scores, self.y[examples], taught, self.recipe)

        loss = of(rows) if others is None else share * of(rows) + (1 - share) * of(others)
        for beyond in excesses:
            loss = loss + self.recipe.overflow_penalty * beyond
        if self.recipe.regularize.weight:
            pull = pull_to_two_values(latent_weights(self.model), self.recipe.regularize.power)
            loss = loss + self.recipe.regularize.weight * pull
        return loss

    def end_epoch(self, show: TrainProgress) -> None:
        self.epoch += 1
        loss, self.loss_sum, self.step = self.team.mean(self.loss_sum) / self.steps, 0.0, 0
        if not loss == loss:
            rate = self.recipe.lr
            raise Diverged(f"fit: the loss is nan after epoch {self.epoch}; lower lr (now {rate}) or check the data")
        look = self.epoch % self.recipe.eval_every == 0 or self.epoch == self.recipe.epochs
        projected = self.optimizer.projected() if isinstance(self.optimizer, ProxConnect) else nullcontext()
        with projected:
            seen = evaluate(self.model, self.data.x_val, self.data.y_val) if look and len(self.data.x_val) else None
        rate = learning_rate(self.recipe, self.epoch * self.steps - 1, self.steps)
        row = {"epoch": self.epoch, "loss": loss, "lr": rate, "val_accuracy": seen}
        relaxed = isinstance(self.optimizer, ProxConnect) or relaxed_quantizers(self.model)
        if seen is not None and relaxed:  # the gap is what projecting to signs costs
            row["soft_val_accuracy"] = soft_accuracy(self.model, self.data.x_val, self.data.y_val)
        if look and self.recipe.health:
            row["health"] = self.health.look()
        self.history.append(row)
        if self.folder is not None:
            self.log.write({**row, "seconds": round(self.before + time.monotonic() - self.started, 1)})
        show.epoch(self.epoch, loss, seen, row.get("soft_val_accuracy"))
        if time.monotonic() - self.saved > self.recipe.checkpoint_seconds:
            self.save()

    def finish(self) -> None:
        set_progress(self.model, 1.0)
        if self.average is not None:
            self.average.put_in()
        if isinstance(self.optimizer, ProxConnect):
            if self.average is not None:
                self.optimizer.adopt()
            self.optimizer.project()
        n_batches = self.recipe.batchnorm_batches or (AVERAGED_BATCHES if self.average is not None else 0)
        if n_batches:
            order = torch.randperm(len(self.x), generator=generator(self.recipe.seed, self.recipe.epochs))
            parts = order.to(self.device).split(self.batch)[:n_batches]
            whole = [part for part in parts if len(part) > 1]
            seen = (self.batch_of(part, self.recipe.epochs, i)[0] for i, part in enumerate(whole))
            refresh_batchnorm(self.model, seen)
        settle_restarts(self.model, self.x, self.y)
        self.finished = True
        self.save()

    def interrupt(self, show: TrainProgress) -> None:
        self.save()
        if self.path is None:
            raise TrainingInterrupted("interrupted; without a folder nothing was saved")
        where = f"epoch {self.epoch + 1}, step {self.step} of {self.steps}"
        text = f"interrupted at {where}; saved {self.path}; {GO_ON}"
        show.say(text)
        raise TrainingInterrupted(text)
