"""Panels of the tab Ask: why scans or clips of a cluster fail, and reference masks for scans that have none."""
