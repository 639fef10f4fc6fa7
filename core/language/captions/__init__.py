"""Captions."""
