"""Captions that are wrong by one change, made of captions that are right."""
