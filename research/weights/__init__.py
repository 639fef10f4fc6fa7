"""How each shipped weight was trained."""
