"""Few shot."""
