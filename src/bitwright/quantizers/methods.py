"""METHODS: which quantizers, scale and activation make a published method.

What a method brings beyond that (another block, a rotation, a regulariser, distillation) is left out and said so in
`note`, so that methods can be compared inside one network and one recipe.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """weights: name in QUANTIZERS. activations: name in QUANTIZERS, or of a layer ("rsign", "two_level").

    scale: of a binary layer. two_stage: real weights first, then binary ones from there. source: the paper.
    """

    weights: str
    activations: str
    source: str
    scale: str = "none"
    two_stage: bool = False
    note: str = ""


METHODS: dict[str, Method] = {
    "bc": Method("identity", "ste", "Courbariaux et al. 2015, arXiv:1511.00363",
                 note="the paper binarizes weights only; the activations are BNN's"),
    "bnn": Method("ste", "ste", "Hubara et al. 2016, arXiv:1602.02830"),
    "bnn+": Method("swish_sign", "swish_sign", "Darabi et al. 2018, arXiv:1812.11800",
                   note="its regulariser is a recipe's: regularize.weight"),
    "bnn++": Method("bnn++", "ste", "Lu et al. 2023, arXiv:2402.17710",
                    note="end of the sharpness and activations are ours"),
    "bnn++_mean": Method("bnn++_mean", "ste", "Lu et al. 2023, arXiv:2402.17710",
                         note="ours: of weights in mean sizes of their filter; the sharpness grows by equal factors"),
    "bireal": Method("ste", "approx_sign", "Liu et al. 2018, arXiv:1808.00278", "channel",
                     note="mean |w| multiplies forward and gradient: magnitude-aware; the shortcuts are the block's"),
    "poly+": Method("poly+", "approx_sign", "Lu et al. 2023, arXiv:2402.17710; slope of Bi-Real net",
                    note="sharpness schedule is ours"),
    "xnor": Method("ste", "ste", "Rastegari et al. 2016, arXiv:1603.05279", "channel",
                   note="without the scale maps of activations: no product of two values; the scale is detached"),
    "dorefa": Method("identity", "ste", "Zhou et al. 2016, arXiv:1606.06160", "tensor",
                     note="sign activations, as in later one-bit re-runs"),
    "irnet": Method("irnet", "ede", "Qin et al. 2020, arXiv:1909.10788", "power_of_two"),
    "ede+": Method("ede+", "ede", "Lu et al. 2023, arXiv:2402.17710; slope of IR-Net"),
    "rbnn": Method("rbnn", "rbnn_activation", "Lin et al. 2020, arXiv:2009.13055", "learned",
                   note="of weights as they are; with the rotation it is the quantizer rbnn_rotated"),
    "siman": Method("siman", "ste", "Lin et al. 2022, arXiv:2102.07981", "learned",
                    note="of weights as they are, not standardised; the gradient is ours"),
    "recu": Method("recu", "recu_activation", "Xu et al. 2021, arXiv:2103.12369", "learned"),
    "adabin": Method("adabin", "two_level", "Tu et al. 2022, arXiv:2208.08084", "two_level",
                     note="without Maxout, a block's part"),
    "reste": Method("reste", "reste", "Wu et al. 2023, arXiv:2308.06689", "tensor"),
    "dsq": Method("dsq", "dsq", "Gong et al. 2019, arXiv:1908.05033"),
    "biper": Method("biper", "ste", "Vargas et al. 2024, arXiv:2404.01278", "learned", note="both stages in one run"),
    "parq": Method("parq", "ste", "Jin et al. 2025, arXiv:2503.15748", "channel",
                   note="the paper binarizes weights only"),
    "binary_relax": Method("binary_relax", "ste", "Yin et al. 2018, arXiv:1801.06313",
                           note="the paper quantizes weights only"),
    "prox_quant": Method("soft_threshold", "ste", "Bai et al. 2019, arXiv:1810.00861; Dockhorn et al. 2021",
                         note="its map with ProxConnect's gradient; ProxQuant's own step is ProxConnect(update='pq')"),
    "progressive": Method("progressive", "progressive", "bitorch's progressive sign"),
    "reactnet": Method("reactnet", "rsign", "Liu et al. 2020, arXiv:2003.03488", "channel", two_stage=True,
                       note="RPReLU and shortcuts are the block's"),
    "fda": Method("fda", "fda", "Xu et al. 2021, arXiv:2103.00841", "tensor", note="the sine slope alone"),
    "fda_noise": Method("fda_noise", "fda_noise", "Xu et al. 2021, arXiv:2103.00841", "tensor",
                        note="with noise adaptation"),
    "fda+": Method("fda+", "fda", "Xu et al. 2021 and Lu et al. 2023", note="the repaired pair"),
}  # fmt: skip
