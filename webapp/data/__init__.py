"""The place New run."""
