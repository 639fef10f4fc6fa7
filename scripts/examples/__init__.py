"""Make the shipped examples and their runs."""
