"""Other engines on the open run, a fold of Findings."""
