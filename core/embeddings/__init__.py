"""Encode samples and texts, cache the vectors, and project them to the map."""
