"""Visual words: a dictionary of picture cells, fitted on what is diagnosed, and which of its words fail."""
