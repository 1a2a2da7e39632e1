"""Logic gate networks: what training and the engine must show."""

from benchmarks.claims import logic_inference, logic_training

CLAIMS = [*logic_training.CLAIMS, *logic_inference.CLAIMS]
