"""How a method, a pair of one's own and the updates around an optimizer are used: the last part of docs/methods.md.

Its Python examples run as tests.
"""

# below method = "..." in what `bitwright methods NAME` prints
IN_A_RECIPE = ('  quantizer = "relu"  # leave this line out for binary activations too',)

USAGE = """## In a recipe

A model that takes `weight_quantizer`, `quantizer` (of its activations) and `scale` takes all three by the name of a
method. Parts beside it win: `quantizer = "relu"` keeps activations real, so that only weights have one bit. A quantizer
takes options, the arguments of its function, as a table. `accumulator` keeps the sums of signs in 8 bits that wrap
around ("wrap8", or "wrap8_half", which reaches twice as far); `overflow_penalty` of the recipe keeps sums off the wrap
in training, and `bitwright verify RUN` says which share of them wraps, operation by operation. `health = true` of the
recipe logs flips, dead units, entropy and gradient mismatch of every layer, and `bitwright train` sums them up at the
end.

```toml
model = "resnet20"
data = "cifar10"

[model_options]
method = "fda"
weight_quantizer = {name = "fda", omega = 0.3}
quantizer = {name = "fda", omega = 0.3}
accumulator = "wrap8_half"
```

A scale of mean |w| multiplies the gradient too; `scale = "channel_straight"` or "tensor_straight" hands latent weights
the gradient of the scaled weight instead, as DoReFa and PARQ have it. Adam hides the difference, SGD does not.

On the command line the same options have dots; of a recipe that names its quantizer, a sweep finds the number:

```
bitwright train digits_sign_mlp --model-options.method bnn++
bitwright sweep my_fda.toml --vary model_options.quantizer.omega=log:0.03..1 lr=log:1e-3..1e-1
```

In Python:

```python
from bitwright import create_model

model = create_model("sign_mlp", method="parq", quantizer="relu", hidden=(32,))
```

## FDA in full

`method = "fda_noise"` is the sine slope with the noise adaptation module, for weights and activations; `method = "fda"`
is the slope alone. Options of both quantizers:

| option | default | what |
| --- | --- | --- |
| start, end | 9, 18 | n of the series at the beginning and the end: n + 1 terms |
| omega | 0.1 | its frequency, which the paper does not give; BiBench has 0.1 |
| clip | infinity | where the slope ends; BiBench ends it at 1. With n = 18, omega = 0.1 it is negative beyond 0.827 |
| reduction | 64 | k: the module's hidden width is a k-th of what it reads |
| shortcut, factor | "sine", 0.1 | beside the module: "none", "linear" (a x) or "sine" (a sin x) |

The module's share alpha falls from 0.1 to exactly 0 along a cosine. In evaluation it is silent, and `freeze` leaves it
out; `drop_noise()` of a quantizer takes it away for good, bit for bit the same. Its recipes at the paper's length are
the campaign's (`bitwright campaign --rows fda`, which wants a GPU; `--rows fda-cpu` is 60 epochs, hours a network on
one core). A first look takes seconds:

```
bitwright train digits_sign_mlp --model-options.method fda_noise
```

## A pair of your own

`synthesize(P, T)` makes (T o P, T' o P) of any monotone P and smooth T, and refuses a T that does not pass through the
levels rising. `check_pair` takes a pair, the name of a quantizer, or any two functions.

```python
import numpy as np
import torch
from bitwright import check_pair, create_model, synthesize

pair = synthesize(lambda w: torch.tanh(3 * w), lambda p: 0.8 * p + 0.2 * p**3)
print(check_pair(pair))
print(check_pair("irnet"))
print(check_pair(np.sign, lambda w: np.exp(-(w**2))))
model = create_model("sign_mlp", weight_quantizer=pair, quantizer=pair, hidden=(32,))
```

## Updates around an optimizer

The same family as steps of any torch optimizer, on any tensors:

| update | gradient at | step from |
| --- | --- | --- |
| bc | sign(w) | w |
| pc | P(w) | w |
| pq | P(w) | P(w) |
| rpc | w | P(w) |
| pc++ | T(P(w)), times T'(P(w)) | w |

What the verdicts above promise is about pc and pc++. The sign is the map of a regulariser that is not convex, so it
covers bc no more than any other network after its projection; BinaryRelax and PARQ are pc with maps that end there.

```python
import torch
from bitwright.quantizers.schedules import linear
from bitwright.quantizers.theory import soft_threshold_map
from bitwright.train import ProxConnect

weight = torch.nn.Parameter(torch.randn(8))
adam = torch.optim.Adam([weight], lr=0.01)
optimizer = ProxConnect(adam, [weight], "pc", soft_threshold_map(linear(0.0, 1.0)))
for step in range(100):
    optimizer.set_progress(step / 99)
    optimizer.zero_grad()
    (weight - 0.3).square().sum().backward()
    optimizer.step()
optimizer.project()  # signs, for good
```

In a recipe, where layers hold the weight as it stands (`weight_quantizer = "latent"`):

```toml
[model_options]
weight_quantizer = "latent"

[prox]
update = "pc"
map = "piecewise_affine"
```

Bop has no latent weights: `optimizer = "bop"` with `weight_quantizer = "identity"`.
"""
