"""Scans: volumes and slices as hospitals and data sets keep them."""
