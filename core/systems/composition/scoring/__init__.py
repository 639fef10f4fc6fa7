"""A model scored on a benchmark of composition, beside chance and baselines that never see an image."""
