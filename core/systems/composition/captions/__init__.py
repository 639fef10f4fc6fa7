"""Captions read without a tagger: their things, attributes and relations."""
