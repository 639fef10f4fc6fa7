"""Losses, intervals, permutations, paired tests, rankings, and groups that stay together."""
