"""The items that a model gets wrong, as samples of a diagnosis."""
