"""Probes that see class names only."""
