"""The same network with a fixed list of answers in place of words: what a generative model is held against (the
discriminative baseline of Cho et al. 2021, section 5.4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.systems.vl_t5.describer import Describer, select_parts
from core.systems.vl_t5.model import PictureParts
from research.weights.vl_t5.spoken import Spoken

_BATCH = 64


class FixedAnswers(torch.nn.Module):
    """A linear layer on the decoder's first state, over a list of answers."""

    def __init__(self, describer: Describer, answers: Sequence[str], seed: int = 0) -> None:
        super().__init__()
        self.describer = describer
        self.answers = tuple(answers)
        self.model = describer.model
        self._at = {answer: i for i, answer in enumerate(self.answers)}
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.head = torch.nn.Linear(self.model.t5.config.d_model, len(self.answers))

    def forward(self, given: Sequence[str], parts: PictureParts | None) -> Tensor:
        """(n, answers) logits."""
        states, seen = self.model.encode(*self.describer.read(given), parts)
        start = torch.full((len(given), 1), self.model.t5.config.decoder_start_token_id)
        found = self.model.t5.decoder(
            input_ids=start, encoder_hidden_states=states, encoder_attention_mask=seen, use_cache=False
        )
        return self.head(found.last_hidden_state[:, 0]).float()

    def loss(self, tasks: Sequence[Spoken], parts: PictureParts) -> Tensor:
        """Cross-entropy over the list."""
        wanted = torch.tensor([self._at[task.wanted] for task in tasks])
        return torch.nn.functional.cross_entropy(self([task.given for task in tasks], parts), wanted)

    @torch.inference_mode()
    def answer(self, given: Sequence[str], parts: PictureParts | None) -> list[str]:
        """The likeliest of the list, a question each."""
        found: list[str] = []
        for at in range(0, len(given), _BATCH):
            rows = slice(at, at + _BATCH)
            found += [self.answers[i] for i in self(given[rows], select_parts(parts, rows)).argmax(1).tolist()]
        return found
