"""`run.propose(...)`: propose words from Python, or let a chat model do so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.files import default_cache
from core.results import Finding, Result
from core.run import Run, answering
from core.systems.proposer.chat import ask_for_words, endpoint_of
from core.systems.proposer.records import Proposed
from core.systems.proposer.sheet import make_sheet
from core.systems.proposer.tested import try_proposals, with_tested
from core.systems.proposer.wording import proposals_section


@answering
def propose(
    run: Run,
    texts: str | Sequence[str] = (),
    *,
    url: str = "",
    model: str = "",
    finding: Finding | None = None,
    most: int = 10,
    cache: str | Path | None = None,
) -> Result:
    """Propose words for what the wrong samples share.

    Words of your own are counted and not tested, because you may have read the results. A chat model at `url` is sent
    wrong and right samples; its words are tested on the others.

    Args:
        run: with words.
        texts: words of your own; leave them out with `url`.
        url: an OpenAI-compatible endpoint, such as "http://127.0.0.1:8080/v1"; its key in ERRATA_PROPOSE_KEY.
        model: name of the model there.
        finding: one of `run.findings`, whose samples are shown; by default those of the whole run.
        most: how many phrases to ask for.
        cache: folder for text vectors between runs.

    Returns:
        The section on them, with the field `proposals`; `Result.run` holds them, those that hold as phrases and
        findings too.

    Raises:
        InvalidInput: no words come of it, or the run cannot test them.
    """
    texts = [texts] if isinstance(texts, str) else list(texts)
    sheet = make_sheet(run, finding)
    source = "a person"
    if url:
        source = f"{model} at {endpoint_of(url).host}"
        texts = ask_for_words(url, model, run, sheet, most)[0]
    tested = try_proposals(
        run, texts, sheet, source=source, after_looking=not url, cache=Path(cache or default_cache())
    )
    after = Run.of(with_tested(run, tested))
    return Result(after, proposals_section(after, tested.proposals), Proposed(tested.proposals))
