"""Records as plain sentences."""
