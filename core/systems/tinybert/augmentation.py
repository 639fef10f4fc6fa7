"""Augmentation: copies of texts with words replaced by likely ones, TinyBERT's algorithm 1.

Each word that may change gets K candidates; in each of N copies one of them replaces it with probability p. For a
word of one piece a masked language model proposes them, if there is one: as in the released code it reads "masked text
[SEP] text", and continuations (##) among its K best are dropped. Words of several pieces, and all words without a
language model, take the nearest words by the teacher's word vectors (the mean vector for several pieces) in place of
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

BATCH_WORDS = 64
"""Masked words that the language model reads together."""
Word = tuple[int, ...]
"""The pieces of a word."""


class Augmenter:
    """Makes changed copies of tokenized texts.

    Args:
        teacher: gives the tokenizer and the word vectors.
        masked_lm: language model with the same tokenizer; None takes only nearest words.
    """

    def __init__(self, teacher: BertFolder, masked_lm: BertFolder | None, how: Distillation) -> None:
        self.teacher = teacher
        self.masked_lm = masked_lm
        self.how = how
        pieces: list[str | None] = teacher.tokenizer.convert_ids_to_tokens(list(range(teacher.config.vocab_size)))
        self.pieces = [piece or "" for piece in pieces]
        self._nearest: dict[Word, list[int]] = {}

    def copies(self, tokens: Sequence[Sequence[int]], progress: Progress = no_progress) -> list[list[int]]:
        """At most `how.augment` copies of each text, all different from the text and from each other."""
        rng = np.random.default_rng([self.how.seed, 1])
        copies: list[list[int]] = []
        for done, text in enumerate(tokens):
            words = self.words(text)
            candidates = self.candidates(text, words)
            seen = {tuple(text)}
            for _ in range(self.how.augment):
                copy: list[int] = []
                for i, word in enumerate(words):
                    if i in candidates and rng.random() < self.how.replace:
                        copy.append(int(rng.choice(candidates[i])))
                    else:
                        copy += word
                if tuple(copy) not in seen:
                    seen.add(tuple(copy))
                    copies.append(copy)
            progress("Augmenting texts", done + 1, len(tokens))
        return copies

    def words(self, text: Sequence[int]) -> list[Word]:
        """Group a text's pieces by word; a special token is a word by itself."""
        words: list[list[int]] = []
        for piece in text:
            if words and self.pieces[piece].startswith("##"):
                words[-1].append(piece)
            else:
                words.append([piece])
        return [tuple(word) for word in words]

    def candidates(self, text: Sequence[int], words: Sequence[Word]) -> dict[int, list[int]]:
        """Index of each word that may change -> the tokens that may replace it."""
        spelled = ["".join(self.pieces[p].removeprefix("##") for p in word) for word in words]
        indices = [i for i, s in enumerate(spelled) if s.isalpha() and s.lower() not in ENGLISH_STOP_WORDS]
        candidates: dict[int, list[int]] = {}
        if self.masked_lm is not None:
            single = [i for i in indices if len(words[i]) == 1]
            candidates = self._likely(self.masked_lm, text, words, single)
        for i in indices:
            if i not in candidates:
                candidates[i] = self._nearest_to(words[i])
        return {i: tokens for i, tokens in candidates.items() if tokens}

    def _likely(
        self, masked_lm: BertFolder, text: Sequence[int], words: Sequence[Word], indices: Sequence[int]
    ) -> dict[int, list[int]]:
        """The language model's K best pieces for each masked word, without continuations."""
        starts = np.cumsum([0, *map(len, words)])
        most = masked_lm.config.max_position_embeddings
        likely: dict[int, list[int]] = {}
        for begin in range(0, len(indices), BATCH_WORDS):
            batch = [i for i in indices[begin : begin + BATCH_WORDS] if starts[i] < most]
            rows: list[list[int]] = []
            for i in batch:
                masked = [*text]
                masked[starts[i]] = self.teacher.tokenizer.mask_token_id
                rows.append([*masked, *text[1:]][:most])
            ids, mask = padded(rows)
            kinds = torch.zeros_like(ids)
            kinds[:, len(text) :] = mask[:, len(text) :]
            with torch.inference_mode():
                output = masked_lm.model(input_ids=ids, attention_mask=mask, token_type_ids=kinds)
            logits = getattr(output, "logits", None)
            if logits is None:  # a BertForPreTraining
                logits = output.prediction_logits
            for row, i in enumerate(batch):
                best = logits[row, int(starts[i])].topk(min(self.how.candidates, logits.shape[-1])).indices.tolist()
                likely[i] = [int(b) for b in best if not self.pieces[b].startswith("##")]
        return likely

    def _nearest_to(self, word: Word) -> list[int]:
        """The K whole words nearest to a word by cosine, without its own pieces."""
        if word not in self._nearest:
            vectors, ids = self._whole_words
            mean: Any = self._vectors[list(word)].mean(0)
            cosines = vectors @ (mean / (np.linalg.norm(mean) or 1.0))
            cosines[np.isin(ids, word)] = -np.inf
            best = np.argsort(-cosines, kind="stable")[: min(self.how.candidates, len(ids) - len(word))]
            self._nearest[word] = [int(i) for i in ids[best]]
        return self._nearest[word]

    @cached_property
    def _vectors(self) -> F32:
        """(V, d) vectors of all pieces."""
        return self.teacher.bert.embeddings.word_embeddings.weight.detach().numpy()

    @cached_property
    def _whole_words(self) -> tuple[F32, I64]:
        """Unit vectors of the pieces that are words of letters only, and their ids."""
        ids = np.array([i for i, piece in enumerate(self.pieces) if piece.isalpha()], np.int64)
        rows = self._vectors[ids]
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), ids
