"""The command `propose`: a chat model names what wrong samples share, and Errata tests it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from core.cli.command import argument, command, option
from core.cli.options import JSON, POSITIVE, RUN
from core.cli.terminal import say


@command()
@argument("run", "RUN", f"{RUN}; it stores the result")
@option("--with URL", "OpenAI-compatible endpoint that is sent images or texts of the run", to="url")
@option("--model NAME", "model at the endpoint")
@option("--group N", "number of the group whose samples are sent (default: those of the whole run)", **POSITIVE)
@option("--most N", "number of phrases to ask for (default: 10)", type=click.IntRange(1, 20))
@JSON
def propose(run: Path, url: str, model: str, group: int | None = None, most: int = 10, as_json: bool = False) -> None:
    """Let a chat model name what wrong samples share, and test its words.

    Sends up to 12 wrong and 12 right samples to the endpoint (docs/security.md), with the key in ERRATA_PROPOSE_KEY if
    there is one. Its words are tested on the other samples, and those that hold become phrases of the run.
    """
    from core.cli.output import print_json, tell_run
    from core.errors import InvalidInput
    from core.files import default_cache
    from core.numbers import count
    from core.reports.terminal import section_lines
    from core.run import Run
    from core.store import load, update
    from core.systems.proposer.chat import ask_for_words, endpoint_of
    from core.systems.proposer.sheet import make_sheet
    from core.systems.proposer.tested import try_proposals, with_tested
    from core.systems.proposer.wording import proposal_document, proposals_section

    address = endpoint_of(url)
    diagnosis = load(run)
    finding = None
    if group is not None:
        groups = [finding for finding in Run.of(diagnosis).findings if finding.kind == "group"]
        if group > len(groups):
            raise InvalidInput(f"--group must be 1 to {len(groups)}, the confirmed groups of the run: got {group}.")
        finding = groups[group - 1]
    sheet = make_sheet(diagnosis, finding)
    phrases, n_skipped = ask_for_words(url, model, diagnosis, sheet, most)
    tested = try_proposals(diagnosis, phrases, sheet, source=f"{model} at {address.host}", cache=default_cache())
    after = update(diagnosis, run, partial(with_tested, tested=tested))
    if as_json:
        print_json({"proposals": [proposal_document(p) for p in tested.proposals], "skipped": n_skipped})
        return
    say("\n".join(section_lines(proposals_section(after, tested.proposals))))
    if n_skipped:
        say(f"Skipped {count(n_skipped, 'line')} of the answer: repeated, too many, longer than 80 letters, or markup.")
    tell_run(run)
