"""How a UniVL is taught: its losses, what is hidden from it, its two stages."""
