"""UniVL: texts and clips in one network."""
