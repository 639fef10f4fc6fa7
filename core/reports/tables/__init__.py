"""Records as tables and as JSON."""
