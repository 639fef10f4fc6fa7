"""Other engines on a run."""
