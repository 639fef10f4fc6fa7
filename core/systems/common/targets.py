"""What stands among the words that a network has to write."""

from __future__ import annotations

IGNORED = -100
"""Where nothing has to be told, as behind a target's end: what PyTorch's cross-entropy passes over by default."""
