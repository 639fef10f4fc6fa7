"""Which attribute a model binds to which thing, cell by cell."""
