"""Modules trained on frozen encoders: the loop, checkpoints, adapters, and what training forgets."""
