"""Texts in memory, and a table of them in which some fail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.data.texts.columns import TextItems

TOPICS = {
    "sport": "the team won the match after a late goal by the captain",
    "money": "shares of the bank fell as investors sold their bonds",
    "weather": "heavy rain and strong wind are expected along the coast",
    "health": "the doctor gave the patient a new drug against the fever",
}
ENDS = (
    "on Monday",
    "last week",
    "once more",
    "in the north",
    "for the third time",
    "as planned",
    "in the end",
    "at home",
)


def made_texts(texts: Sequence[str]) -> TextItems:
    return TextItems(tuple(map(str, range(len(texts)))), tuple(texts))


def failing_table(n: int = 240, seed: int = 0) -> pd.DataFrame:
    """n different texts on four topics; those about the weather fail."""
    rng = np.random.default_rng(seed)
    topics = [list(TOPICS)[i % 4] for i in range(n)]
    texts = [f"{TOPICS[t]} {ENDS[(i // 4) % 8]}, said the {i}th report" for i, t in enumerate(topics)]
    loss = rng.gamma(2, 0.15, n) + np.where(np.array(topics) == "weather", 1.0, 0.0)
    return pd.DataFrame({"text": texts, "loss": loss, "length": [len(t) for t in texts]})
