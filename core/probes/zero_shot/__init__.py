"""Zero shot."""
