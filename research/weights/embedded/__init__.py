"""Fit and measure the words of the embedded encoder."""
