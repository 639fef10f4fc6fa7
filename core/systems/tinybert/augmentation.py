"""Changed copies of texts: words replaced by likely ones, TinyBERT's algorithm 1.

Each word that may change gets K candidates; in each of N copies it is replaced by one of them with probability p.
A word of one piece asks a masked language model, where there is one: as in the released code it reads "masked text
[SEP] text", and continuations (##) among its K best are dropped. Words of several pieces, and all words without such a
model, take the nearest words by the teacher's own word vectors (of a word of several pieces, their mean) in place of
GloVe's. As in the code, stop words and words with anything but letters stay; the list is scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from core.records import F32, I64, Progress, no_progress
from core.systems.common.words import padded
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.teacher import BertFolder

_AT_ONCE = 64
Word = tuple[int, ...]
"""Its pieces."""


class Augmenter:
    """Makes copies of tokenized texts.

    Args:
        teacher: whose words are replaced.
        masked_lm: with the same tokenizer; None takes nearest words alone.
    """

    def __init__(self, teacher: BertFolder, masked_lm: BertFolder | None, how: Distillation) -> None:
        self.teacher = teacher
        self.masked_lm = masked_lm
        self.how = how
        known: list[str | None] = teacher.tokenizer.convert_ids_to_tokens(list(range(teacher.config.vocab_size)))
        self.pieces = [piece or "" for piece in known]
        self._nearest: dict[Word, list[int]] = {}

    def copies(self, tokens: Sequence[Sequence[int]], progress: Progress = no_progress) -> list[list[int]]:
        """At most `how.augment` copies of each text, other than it and each other."""
        rng = np.random.default_rng([self.how.seed, 1])
        found: list[list[int]] = []
        for at, text in enumerate(tokens):
            words = self.words(text)
            may = self.candidates(text, words)
            seen = {tuple(text)}
            for _ in range(self.how.augment):
                copy = [
                    piece
                    for i, word in enumerate(words)
                    for piece in ([int(rng.choice(may[i]))] if i in may and rng.random() < self.how.replace else word)
                ]
                if tuple(copy) not in seen:
                    seen.add(tuple(copy))
                    found.append(copy)
            progress("augment", at + 1, len(tokens))
        return found

    def words(self, text: Sequence[int]) -> list[Word]:
        """The text's pieces, those of one word together; special tokens stand alone."""
        found: list[list[int]] = []
        for piece in text:
            if found and self.pieces[piece].startswith("##"):
                found[-1].append(piece)
            else:
                found.append([piece])
        return [tuple(word) for word in found]

    def candidates(self, text: Sequence[int], words: Sequence[Word]) -> dict[int, list[int]]:
        """Tokens that may take the place of each word that may change."""
        spelled = ["".join(self.pieces[p].removeprefix("##") for p in word) for word in words]
        places = [i for i, s in enumerate(spelled) if s.isalpha() and s.lower() not in ENGLISH_STOP_WORDS]
        single = [i for i in places if len(words[i]) == 1] if self.masked_lm else []
        found = self._likely(text, words, single)
        found |= {i: self._near(words[i]) for i in places if i not in found}
        return {i: tokens for i, tokens in found.items() if tokens}

    def _likely(self, text: Sequence[int], words: Sequence[Word], places: Sequence[int]) -> dict[int, list[int]]:
        """The K best of the language model for each masked word, whole words alone."""
        if self.masked_lm is None:
            return {}
        starts = np.cumsum([0, *map(len, words)])
        most = self.masked_lm.config.max_position_embeddings
        found: dict[int, list[int]] = {}
        for begin in range(0, len(places), _AT_ONCE):
            some = [i for i in places[begin : begin + _AT_ONCE] if starts[i] < most]
            rows: list[list[int]] = []
            for i in some:
                masked = [*text]
                masked[starts[i]] = self.teacher.tokenizer.mask_token_id
                rows.append([*masked, *text[1:]][:most])
            ids, mask = padded(rows)
            kinds = torch.zeros_like(ids)
            kinds[:, len(text) :] = mask[:, len(text) :]
            with torch.inference_mode():
                found_by = self.masked_lm.model(input_ids=ids, attention_mask=mask, token_type_ids=kinds)
            logits = getattr(found_by, "logits", None)
            logits = found_by.prediction_logits if logits is None else logits
            for row, i in enumerate(some):
                best = logits[row, int(starts[i])].topk(min(self.how.candidates, logits.shape[-1])).indices.tolist()
                found[i] = [int(b) for b in best if not self.pieces[b].startswith("##")]
        return found

    def _near(self, word: Word) -> list[int]:
        if word not in self._nearest:
            vectors, ids = self._vectors
            mine: Any = self._all[list(word)].mean(0)
            closeness = vectors @ (mine / (np.linalg.norm(mine) or 1.0))
            closeness[np.isin(ids, word)] = -np.inf
            best = np.argsort(-closeness, kind="stable")[: min(self.how.candidates, len(ids) - len(word))]
            self._nearest[word] = [int(i) for i in ids[best]]
        return self._nearest[word]

    @cached_property
    def _all(self) -> F32:
        return self.teacher.bert.embeddings.word_embeddings.weight.detach().numpy()

    @cached_property
    def _vectors(self) -> tuple[F32, I64]:
        """Unit vectors of all words of one piece that are letters alone, and their numbers."""
        ids = np.array([i for i, piece in enumerate(self.pieces) if piece.isalpha()], np.int64)
        rows = self._all[ids]
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), ids
