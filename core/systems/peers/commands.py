"""The commands that measure Errata and its peers on planted failures, and that ask the peers about a run."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.command import argument, command, option
from core.cli.options import POSITIVE, RUN, SEED
from core.cli.terminal import TerminalProgress, say

TIERS = ("embeddings", "few-rows", "ten-classes", "scenes", "clothing", "cifar10", "flickr8k")
FIRST_SEED = 1000


@command(note="Seeds below 100 are for choosing settings: figures that are shown come from 1000 on.")
@option("--out DIR", "folder to write to: lines that a second call goes on with, then JSON, Markdown and HTML")
@option("--tiers NAME", f"kinds of data: {', '.join(TIERS)} (default {TIERS[0]})", type=click.Choice(TIERS))
@option("--kinds NAME", "kinds of failure, such as rare, conjunction or null (default all of a tier)")
@option("--engines NAME", "errata and its peers, such as domino or spotlight (default all)")
@option("--worlds N", "data sets of each kind (default 3)", **POSITIVE)
@option("--first-seed", "the first one's seed (default 1000)", type=click.IntRange(min=0))
@option("--data DIR", "folder that holds clothing, cifar10 and flickr8k, for the tiers of those names")
def benchmark(
    out: Path,
    tiers: tuple[str, ...] = ("embeddings",),
    kinds: tuple[str, ...] = (),
    engines: tuple[str, ...] = (),
    worlds: int = 3,
    first_seed: int = FIRST_SEED,
    data: Path | None = None,
) -> None:
    """Measure Errata and its peers on failures that were planted.

    Some minutes at the defaults. Broken off, it goes on with the same --out.
    """
    from core.cli.output import make_folder
    from core.systems.peers.scoreboard.methods import METHODS
    from core.systems.peers.scoreboard.tables import ahead, loss_sentence
    from research.scoreboard.run import BoardPlan, check_data, run
    from research.scoreboard.write import write_board

    plan = BoardPlan(tiers, kinds, engines or tuple(METHODS), range(first_seed, first_seed + worlds), data)
    check_data(plan)
    make_folder(out)
    with TerminalProgress() as progress:
        rows = run(plan, out, progress)
    board = write_board(rows, plan, out)
    for tier, why in board.missing.items():
        say(f"{tier}: not measured. {why}")
    for peer, (better, unclear, worse) in ahead(board.cells).items():
        say(f"{peer}: Errata is ahead in {better} cells, behind in {worse}, unclear in {unclear}")
    for loss in board.losses()[:5]:
        say(f"A peer is ahead: {loss_sentence(*loss)}")
    say(f"Written: {out / 'scoreboard.html'}")


@command()
@argument("run", "DIR", RUN)
@option("--engines NAME", "such as domino or spotlight (default domino, error logistic and spotlight)")
@option("--out FILE", "file to write: .csv, .parquet or .json")
@SEED
def peers(
    run: Path,
    engines: tuple[str, ...] = ("domino", "error logistic", "spotlight"),
    out: Path | None = None,
    seed: int = 0,
) -> None:
    """What other engines propose on a run's samples, and where two agree.

    Their slices carry no p; one p for each engine says whether what it finds on one half holds on the other.
    """
    from core.cli.output import check_suffix, in_folder, write_table
    from core.files import write_json
    from core.store import load
    from core.systems.peers.ask_peers import ask_peers
    from core.systems.peers.tables import peers_document, peers_table
    from core.systems.peers.wording import peer_lines

    if out is not None:
        check_suffix(out)
    diagnosis = load(run)
    with TerminalProgress() as progress:
        report = ask_peers(diagnosis, engines, seed=seed, progress=progress)
    say("\n".join(peer_lines(diagnosis, report)))
    if out is None:
        return
    if out.suffix.lower() == ".json":
        in_folder(out)
        write_json(out, peers_document(diagnosis, report))
    else:
        write_table(peers_table(diagnosis, report), out)
    say(f"Written: {out}")
