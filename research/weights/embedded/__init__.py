"""How the embedded encoder was fitted, and what it knows."""
