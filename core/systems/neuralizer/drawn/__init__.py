"""Scans drawn with known truth."""
