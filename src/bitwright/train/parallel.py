"""Several processes training one model, as `torchrun` starts them: each takes its rows of every batch.

Every process draws the same batch and the same augmentation and keeps the rows rank, rank + size, ...; gradients are
averaged, so a step is that of one process on the whole batch but for rounding, and for batch norms, whose statistics
are each process's own (on GPUs they are shared).
"""

import os

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


class Team:
    """rank, size: of this process and of all of them; 0 and 1 without torchrun. Raises ValueError for a batch that does
    not divide.
    """

    def __init__(self, device: torch.device, batch: int):
        self.size, self.rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        self.on, self.device = self.size > 1, device
        if self.on and batch % self.size:
            raise ValueError(f"fit: a batch of {batch} does not divide among {self.size} processes; change batch_size")
        if self.on and not distributed.is_initialized():
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        if self.on and device.type == "cuda":
            torch.cuda.set_device(device)

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The model whose backward averages gradients over the team; it shares its parameters with `model`."""
        if not self.on:
            return model
        if device.type != "cuda":
            return DistributedDataParallel(model)
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return DistributedDataParallel(model, device_ids=[device.index or 0])

    def mine(self, rows: Tensor) -> Tensor:
        """This process's part of something with one entry a sample of the batch."""
        return rows[self.rank :: self.size] if self.on else rows

    def mean(self, value: float | Tensor) -> float:
        """The team's mean of a number."""
        if not self.on:
            return float(value)
        total = torch.as_tensor(value, dtype=torch.float64, device=self.device).clone()
        distributed.all_reduce(total)
        return float(total) / self.size
