"""Transformers of texts from folders."""
