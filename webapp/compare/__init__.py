"""The place Compare: a new model, checkpoints, or new data beside the open run."""
