"""How UniVL was taught on drawn clips, and what was measured of it."""
