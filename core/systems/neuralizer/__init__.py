"""Neuralizer: one network that segments, corrects and rebuilds a scan from a few examples of what is wanted."""
