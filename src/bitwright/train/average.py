"""A running average of the weights, which takes their place at the end.

Source: Polyak, Juditsky 1992; the exponential form as in Tarvainen, Valpola 2017, arXiv:1703.01780. Of a binary layer
it is the latent weight that is averaged; its sign is what ships.
"""

import torch
from torch import nn


class Average:
    """After step t: average = d * average + (1 - d) * weight, d the lesser of decay and (1 + t) / (10 + t)."""

    def __init__(self, model: nn.Module, decay: float):
        self.model, self.decay, self.steps = model, decay, 0
        self.weights = {name: p.detach().clone() for name, p in model.named_parameters()}

    @torch.no_grad()
    def update(self) -> None:
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, parameter in self.model.named_parameters():
            self.weights[name].lerp_(parameter, 1 - decay)

    @torch.no_grad()
    def put_in(self) -> None:
        """The average becomes the model's weights. Batch norm statistics want to be estimated anew after that."""
        for name, parameter in self.model.named_parameters():
            parameter.copy_(self.weights[name])

    def state_dict(self) -> dict:
        return {"steps": self.steps, "weights": self.weights}

    def load_state_dict(self, state: dict) -> None:
        self.steps = state["steps"]
        for name, value in state["weights"].items():
            self.weights[name].copy_(value)
