"""How the shipped examples and their runs are made."""
