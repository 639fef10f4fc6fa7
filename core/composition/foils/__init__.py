"""Foils."""
