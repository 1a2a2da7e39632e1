"""Logic gate networks: what training, the engine and the exporters must show."""

from benchmarks.claims import logic_export, logic_inference, logic_training

CLAIMS = [*logic_training.CLAIMS, *logic_inference.CLAIMS, *logic_export.CLAIMS]
