"""Scans: volumes and slices in the formats of hospitals and data sets."""
