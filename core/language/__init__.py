"""Phrases as directions of an encoder's space, the vocabulary, and the grammar to speak them."""
