"""Errata and its peers on failures whose truth is known: worlds, one measurement, and what many come to."""
