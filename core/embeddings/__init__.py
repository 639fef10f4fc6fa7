"""Samples run through encoders: vectors, tokens, vectors of texts, their caches, and the map."""
