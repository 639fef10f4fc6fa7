"""What is not the diagnosis: one folder a system, and in it everything about it but its page."""
