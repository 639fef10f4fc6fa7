"""An endpoint for programs and assistants: propose words for a run's failures, and read which hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import gradio as gr
import numpy as np
from gradio.components.api_component import Api

from core.errors import InvalidInput
from core.records import I64, Diagnosis
from core.run import Run
from core.systems.proposer.records import KEY, Proposal, Proposed, proposals_of
from webapp.api import READ, require_whole, tells_errors
from webapp.markup.components import json_object
from webapp.markup.html import shown
from webapp.state.jobs import LIGHT
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS

SOURCE = "an assistant"
NEXT = (
    "Compare the wrong samples with the right ones, and call `propose` again with up to 20 short texts for what the "
    "wrong ones show. The texts are tested on the other samples."
)


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What a session proposed for runs, and which of their samples it was shown. Proposals for a visitor's own run are
    also stored with it."""

    proposals: Mapping[str, tuple[Proposal, ...]] = field(default_factory=dict[str, tuple[Proposal, ...]])
    seen: Mapping[str, I64] = field(default_factory=dict[str, I64])
    """Rows by run."""


def propose(given: Given, run: str, texts: Any = None, finding: int = 0) -> tuple[Given, dict[str, Any]]:
    """Propose words for what a run's wrong samples have in common, and learn which hold. Call it first without texts:
    it shows wrong samples beside right ones. Call it again with texts: each is tested on samples that you were not
    shown. Do so before `findings`, `samples`, `ask` or `audit`: words from those are counted, not tested.

    Args:
        given: this client's earlier proposals, kept by the server between its calls.
        run: the id of a run.
        texts: a list of 1 to 20 short texts, as one would caption such samples; leave it out to be shown samples. The
            p-values are adjusted for all proposals for the run.
        finding: 0 for all samples, or the number of a confirmed finding, which this tool lists without texts.
    """
    from core.systems.proposer.sheet import make_sheet
    from core.systems.proposer.tested import try_proposals, with_tested  # the encoder
    from core.systems.proposer.wording import lead_sentence, proposal_document

    run = str(run)
    diagnosis = Run.of(RUNS.get(run))
    link = RUNS.link(run)
    findings = diagnosis.findings
    require_whole("finding", finding, 0, len(findings))
    chosen = findings[finding - 1] if finding else None
    earlier = given.proposals.get(link, proposals_of(diagnosis))
    seen = given.seen.get(link, np.zeros(0, np.int64))
    sheet = make_sheet(diagnosis, chosen, [seen])
    if texts is None:
        given = replace(given, seen={**given.seen, link: np.union1d(seen, sheet.shown)})
        return given, {
            "wrong": [_item(diagnosis, row) for row in sheet.wrong.tolist()],
            "right": [_item(diagnosis, row) for row in sheet.right.tolist()],
            "findings": [{"finding": number, "title": f.title} for number, f in enumerate(findings, start=1)],
            "left_to_test": len(sheet.unseen),
            "next": NEXT,
        }
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidInput(f"texts must be a list of texts: got {str(texts)[:80]!r}. Leave it out to be shown samples.")
    diagnosis = replace(diagnosis, extras={**diagnosis.extras, KEY: Proposed(earlier)})
    tested = try_proposals(diagnosis, texts, sheet, source=SOURCE, after_looking=link in READ)
    proposals = proposals_of(with_tested(diagnosis, tested))
    given = replace(given, proposals={**given.proposals, link: proposals})
    is_stored = not RUNS.is_linked(run) and not RUNS.is_example(run)
    if is_stored:
        RUNS.change(run, partial(with_tested, tested=tested))
    document = {
        "sentence": lead_sentence(diagnosis, tested.proposals),
        "proposals": [proposal_document(proposal) for proposal in tested.proposals],
        "stored": is_stored,
    }
    return given, document


def _item(diagnosis: Diagnosis, row: int) -> dict[str, str]:
    """A sample by itself: its other facts tell what the run found."""
    image, text = shown(diagnosis, row)
    known = {"id": diagnosis.samples.ids[row], "image": image, "text": text}
    return {key: value for key, value in known.items() if value}


def build() -> None:
    """Add the endpoint to the open Blocks."""
    given = gr.State(Given(), time_to_live=STATE_S)
    run = gr.Textbox(visible=False, label="run")
    schema: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    texts = Api(None, schema, "texts")
    finding = gr.Number(0, precision=0, visible=False, label="finding")
    result = json_object("proposed")
    gr.Button(visible=False).click(
        tells_errors(propose), [given, run, texts, finding], [given, result], api_name="propose", **LIGHT
    )
