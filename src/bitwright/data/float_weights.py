"""Weights of float networks that binary ones start from, by name.

Source: Y. Idelbayev, pytorch_resnet_cifar10, BSD-2-Clause: ResNets of He et al. 2016 trained on CIFAR-10.
"""

import hashlib
from pathlib import Path

from bitwright.data.fetch import RemoteFile, fetch
from bitwright.data.root import data_root

_PLACE = "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/"

FLOAT_WEIGHTS: dict[str, RemoteFile] = {
    "resnet20-12fca82f": RemoteFile(
        "pretrained/resnet20-12fca82f.th",
        (_PLACE + "resnet20-12fca82f.th",),
        1_099_231,
        "sha256:12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8",
    ),
    "resnet32-d509ac18": RemoteFile(
        "pretrained/resnet32-d509ac18.th",
        (_PLACE + "resnet32-d509ac18.th",),
        1_890_043,
        "sha256:d509ac1820d7f25398913559d7e81a13229b1e7adc5648e3bfa5e22dc137f850",
    ),
}


def float_weights(name: str, root: str | Path | None = None) -> Path:
    """The file, below the data root or fetched into it. Raises ValueError for an unknown name or a damaged file, and
    FetchError.
    """
    if name not in FLOAT_WEIGHTS:
        raise ValueError(f"float weights: no {name!r}; there are: {', '.join(FLOAT_WEIGHTS)}")
    file = FLOAT_WEIGHTS[name]
    path = data_root(root) / file.path
    if not path.exists():
        path = fetch(file, data_root(root))
    if hashlib.sha256(path.read_bytes()).hexdigest() != file.checksum.partition(":")[2]:
        raise ValueError(f"float weights: {path} is damaged (sha256); delete it, and it is fetched again")
    return path
