"""Classifiers on hypervectors without a trained trunk, to stand beside G-Net: what the field calls HDC.

Every method is an encoder (features -> a code of N numbers) and a way to learn one prototype a class. Written from
published descriptions, not from their authors' code; what is left open there is chosen here and said at each encoder.
Sources: vanilla: Kanerva 2009, Cognitive Computation 1 (bind keys with levels, bundle); OnlineHD: Hernandez-Cano et al.
2021, DATE (similarity-weighted updates); LeHDC: Duan et al. 2022, DAC, arXiv:2203.09680 (prototypes as a binary layer);
RFF-HDC: Yu et al. 2022, NeurIPS, arXiv:2202.04805 (levels whose similarity is a kernel's, by random Fourier features);
Laplace-HDC: Pourmand et al. 2024, arXiv:2404.10759 (Laplace kernel, keys as cyclic shifts); HoloGN: Kleyko et al.,
arXiv:1501.03784, used on characters by Manabat et al. 2019, ISMAC (a level as a cyclic shift of the key).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..bits.generator import gaussian_rows, rademacher_rows
from ..quantizers import hard_sign

BLOCK = 1024  # samples encoded at a time
Table = Callable[[int, int, int], Tensor]  # (n_levels, n_codes, seed) -> int8 (n_levels, n_codes) of -1 and +1


def linear_levels(n_levels: int, n_codes: int, seed: int) -> Tensor:
    """Level i + 1 flips the next n_codes / (2 * (levels - 1)) places of level i: first and last agree by chance."""
    first = torch.from_numpy(rademacher_rows(seed, 1, 1, n_codes))[0]
    order = np.random.default_rng(seed).permutation(n_codes)
    levels = first.repeat(n_levels, 1)
    for i in range(1, n_levels):
        levels[i, order[: round(n_codes / 2 * i / (n_levels - 1))]] *= -1
    return levels


def fourier_levels(n_levels: int, n_codes: int, seed: int, width: float = 0.2) -> Tensor:
    """sign(cos(w * v + b)) of the value v in [0, 1], w normal with deviation 1 / width: similar where values are."""
    rng = np.random.default_rng(seed)
    w, b = rng.normal(size=n_codes) / width, rng.uniform(0, 2 * np.pi, n_codes)
    values = np.linspace(0, 1, n_levels)[:, None]
    return torch.from_numpy(np.where(np.cos(values * w + b) >= 0, 1, -1).astype(np.int8))


def laplace_levels(n_levels: int, n_codes: int, seed: int, rate: float = 4.0) -> Tensor:
    """Each place flips at the times of a Poisson process: the similarity is exactly exp(-rate * |v - v'|) in mean."""
    rng = np.random.default_rng(seed)
    levels = np.empty((n_levels, n_codes), np.int8)
    levels[0] = rademacher_rows(seed, 1, 1, n_codes)[0]
    flips = (1 - np.exp(-rate / max(n_levels - 1, 1))) / 2
    for i in range(1, n_levels):
        levels[i] = np.where(rng.random(n_codes) < flips, -levels[i - 1], levels[i - 1])
    return torch.from_numpy(levels)


@dataclass(frozen=True)
class Bundle:
    """Features in [0, 1] -> sign of the sum over features of key times level.

    table: the levels. keys: "random" (a sign vector a feature), "shifts" (feature i shifts the level by i places) or
    "shifted" (level i shifts the feature's random key by i places, HoloGN; the table is not used).
    """

    n_codes: int
    table: Table = linear_levels
    keys: str = "random"
    n_levels: int = 32
    seed: int = 0

    def __call__(self, x: Tensor) -> Tensor:
        """x: float (n, features) -> float (n, n_codes) of -1 and +1."""
        level = (x * (self.n_levels - 1)).round().long()
        levels, n_features = self.table(self.n_levels, self.n_codes, self.seed), x.shape[1]
        keys = torch.from_numpy(rademacher_rows(self.seed, 0, n_features, self.n_codes))
        common = level.mode(0).values  # most samples have it, so it joins once for all of them
        shared, sums = torch.zeros(self.n_codes), torch.zeros(len(x), self.n_codes)
        for i in range(n_features):
            if self.keys == "random":
                own = levels * keys[i]
            elif self.keys == "shifts":
                own = levels.roll(i, 1)
            else:
                own = torch.stack([keys[i].roll(step) for step in range(self.n_levels)])
            usual = own[common[i]]
            shared += usual
            others = (level[:, i] != common[i]).nonzero().flatten()
            sums.index_add_(0, others, (own - usual).float()[level[others, i]])
        return hard_sign(sums + shared)


@dataclass(frozen=True)
class Sinusoid:
    """cos(Wx + b) * sin(Wx), W normal with deviation 2 over the root of the features (OnlineHD's encoder)."""

    n_codes: int
    seed: int = 0

    def __call__(self, x: Tensor) -> Tensor:
        """x: float (n, features) -> float (n, n_codes)."""
        rows = torch.from_numpy(gaussian_rows(self.seed, 0, self.n_codes, x.shape[1])).float()  # of variance 32
        wave = x @ rows.T * (2 / (32 * x.shape[1]) ** 0.5)
        shift = torch.rand(self.n_codes, generator=torch.Generator().manual_seed(self.seed)) * 2 * np.pi
        return torch.cos(wave + shift) * torch.sin(wave)


def learn_centroids(codes: Tensor, y: Tensor, classes: int, seed: int) -> Tensor:
    """Signs of the sums of each class's codes: (classes, N)."""
    return hard_sign(torch.zeros(classes, codes.shape[1]).index_add_(0, y, codes))


def learn_online(codes: Tensor, y: Tensor, classes: int, seed: int, epochs: int = 10, rate: float = 0.035) -> Tensor:
    """Real prototypes; a wrong sample moves its class and the one it was taken for, less the more similar it was."""
    prototypes = torch.zeros(classes, codes.shape[1]).index_add_(0, y, codes) / len(codes)
    codes = F.normalize(codes)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for rows in torch.randperm(len(codes), generator=generator).split(64):
            similar = codes[rows] @ F.normalize(prototypes).T
            guess = similar.argmax(1)
            wrong = guess != y[rows]
            at, own, other = rows[wrong], y[rows][wrong], guess[wrong]
            line = torch.arange(len(rows))[wrong]
            prototypes.index_add_(0, own, rate * (1 - similar[line, own])[:, None] * codes[at])
            prototypes.index_add_(0, other, -rate * (1 - similar[line, other])[:, None] * codes[at])
    return prototypes


def learn_binary(codes: Tensor, y: Tensor, classes: int, seed: int, epochs: int = 20, rate: float = 3e-3) -> Tensor:
    """Signs of latent prototypes, trained by cross-entropy straight through the sign, with dropout and weight decay.

    The rate falls to 0 along a cosine, so that the last signs settle.
    """
    torch_generator = torch.Generator().manual_seed(seed)
    latent = torch.nn.Parameter(torch.zeros(classes, codes.shape[1]).index_add_(0, y, codes) / len(codes))
    optimizer = torch.optim.AdamW([latent], lr=rate, weight_decay=0.003)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * -(-len(codes) // 128))
    heat = 4 / codes.shape[1] ** 0.5
    for _ in range(epochs):
        for rows in torch.randperm(len(codes), generator=torch_generator).split(128):
            kept = (torch.rand(len(rows), codes.shape[1], generator=torch_generator) >= 0.3) / 0.7
            binary = latent + (hard_sign(latent.detach()) - latent).detach()
            loss = F.cross_entropy((codes[rows] * kept) @ binary.T * heat, y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return hard_sign(latent.detach())


# Name -> (encoder of N codes and a seed, learner).
METHODS: dict[str, tuple[Callable, Callable]] = {
    "vanilla_hdc": (lambda n, seed: Bundle(n, seed=seed), learn_centroids),
    "online_hd": (lambda n, seed: Sinusoid(n, seed), learn_online),
    "le_hdc": (lambda n, seed: Bundle(n, seed=seed), learn_binary),
    "rff_hdc": (lambda n, seed: Bundle(n, fourier_levels, seed=seed), learn_binary),
    "laplace_hdc": (lambda n, seed: Bundle(n, laplace_levels, "shifts", seed=seed), learn_binary),
    "holo_gn": (lambda n, seed: Bundle(n, keys="shifted", seed=seed), learn_centroids),
}


class HypervectorClassifier:
    """fit(x, y) and predict(x) for one of METHODS. x: (n, ...) numbers in lo..hi, flattened.

    Raises ValueError for an unknown method, N below 1 or hi not above lo; and for x beyond lo..hi or labels that do not
    go with it.
    """

    def __init__(self, method: str, n_codes: int = 2048, seed: int = 0, lo: float = 0.0, hi: float = 255.0):
        if method not in METHODS:
            raise ValueError(f"HypervectorClassifier: no {method!r}; choose one of {', '.join(METHODS)}")
        if n_codes < 1:
            raise ValueError(f"HypervectorClassifier: n_codes is {n_codes}, expected at least 1")
        if not lo < hi:
            raise ValueError(f"HypervectorClassifier: lo is {lo}, hi is {hi}; hi must be above lo")
        encoder, self.learn = METHODS[method]
        self.encoder, self.seed, self.lo, self.hi = encoder(n_codes, seed), seed, lo, hi
        self.prototypes: Tensor | None = None

    def encode(self, x: np.ndarray) -> Tensor:
        """x (n, ...) -> float (n, N)."""
        values = (torch.from_numpy(np.ascontiguousarray(x)).float().flatten(1) - self.lo) / (self.hi - self.lo)
        if not values.numel() or not 0 <= float(values.min()) <= float(values.max()) <= 1:
            seen = f"{np.min(x):g} to {np.max(x):g}" if values.numel() else "nothing"
            raise ValueError(
                f"HypervectorClassifier: x holds {seen}, expected {self.lo:g} to {self.hi:g}; say lo= and hi="
            )
        return torch.cat([self.encoder(part) for part in values.split(BLOCK)])

    def fit(self, x: np.ndarray, y: np.ndarray) -> "HypervectorClassifier":
        labels = torch.from_numpy(np.asarray(y, np.int64))
        if len(labels) != len(x) or (len(labels) and int(labels.min()) < 0):
            raise ValueError(
                f"HypervectorClassifier: {len(x)} samples, {len(labels)} labels; expected a class from 0 each"
            )
        self.prototypes = self.learn(self.encode(x), labels, int(labels.max()) + 1, self.seed)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Class of the most similar prototype, int64 (n,). Raises ValueError before `fit`."""
        if self.prototypes is None:
            raise ValueError("HypervectorClassifier: not trained yet; call fit(x, y) first")
        return (self.encode(x) @ F.normalize(self.prototypes).T).argmax(1).numpy()
