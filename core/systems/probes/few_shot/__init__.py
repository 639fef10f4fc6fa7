"""Probes that see a few images of each class, or images found for its name."""
