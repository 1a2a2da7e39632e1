"""Inference of logic gate networks beside straight-line C of the same network."""
