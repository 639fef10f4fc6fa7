"""Commands that look at a run's pictures anew."""
