"""What a run calls the result of composition that it explains, for pages that start without what made it."""

COMPOSITION = "composition"
"""Key of `Diagnosis.extras`: what was diagnosed (name, model, benchmark, title, kind, headline, loss, value, low, high,
n)."""
