"""How figures of a run are drawn; `core.figures` hands them out."""
