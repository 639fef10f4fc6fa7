"""Masks for scans that have none, told by examples of the same upload, and what they are worth as a truth."""
