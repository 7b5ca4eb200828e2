"""Experiments on top of the model."""
