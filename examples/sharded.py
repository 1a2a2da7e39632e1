"""Parameters spread over processes: binary layers under torch's fully_shard (FSDP2), in a loop of one's own.

    torchrun --standalone --nproc-per-node=2 examples/sharded.py losses.json

`fit` by torchrun keeps a whole copy in each process (DDP), which is enough where weights will be one bit. For networks
whose latent weights do not fit, each layer is sharded as any torch module is: it gathers its weight for the forward
pass, makes signs of it, and keeps its share of the gradient. Alone (no torchrun) the same script is one process.
"""

import json
import os
import sys

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn import functional as F

from bitwright.data import load_data
from bitwright.layers import BinaryLinear, Sign
from bitwright.quantizers import set_progress

BATCH, STEPS, CLIP = 64, 40, 1.0


def network() -> nn.Sequential:
    torch.manual_seed(0)
    hidden = BinaryLinear(64, 48, weight_quantizer="bnn++", scale="channel")
    return nn.Sequential(nn.Flatten(), hidden, Sign(), BinaryLinear(48, 10, scale="learned"))


def losses_of_a_run() -> list[float]:
    """The loss of every step on the whole batch."""
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    model = network()
    if size > 1:
        mesh = init_device_mesh("cuda" if torch.cuda.is_available() else "cpu", (size,))
        for layer in model:
            if isinstance(layer, BinaryLinear):
                fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    data, order, losses = load_data("digits"), torch.Generator().manual_seed(0), []
    x, y = torch.from_numpy(data.x_train).float(), torch.from_numpy(data.y_train)
    for step in range(STEPS):
        set_progress(model, step / (STEPS - 1))
        rows = torch.randint(len(x), (BATCH,), generator=order)[rank::size]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for layer in model:
                if isinstance(layer, BinaryLinear):
                    layer.weight.clamp_(-CLIP, CLIP)
        whole = loss.detach()
        if size > 1:
            distributed.all_reduce(whole)
        losses.append(float(whole) / size)
    return losses


if __name__ == "__main__":
    found = losses_of_a_run()
    if int(os.environ.get("RANK", 0)) == 0:
        with open(sys.argv[1], "w") as file:
            json.dump(found, file)
        print(f"loss {found[0]:.3f} -> {found[-1]:.3f}")
    if distributed.is_initialized():
        distributed.barrier()  # else the first to leave may tear down what the other still reads
        distributed.destroy_process_group()
