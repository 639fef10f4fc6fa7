"""What made the weights and the figures: run from a clone, never installed."""
