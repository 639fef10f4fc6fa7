"""The command `peers`: slices of other engines on a run."""

from __future__ import annotations

from pathlib import Path

from core.cli.command import argument, command, option
from core.cli.options import RUN, SEED
from core.cli.terminal import TerminalProgress, say


@command()
@argument("run", "RUN", RUN)
@option("--engines NAME", "engines to ask (default: domino, sliceguard, and spotlight)")
@option("--out FILE", "file to write: .csv, .parquet or .json")
@SEED
def peers(
    run: Path, engines: tuple[str, ...] = ("domino", "sliceguard", "spotlight"), out: Path | None = None, seed: int = 0
) -> None:
    """Compare a run's groups with the slices of other engines.

    Single slices are not tested. Each engine has one p-value: it proposes slices on half of the samples, and Errata
    tests them on the other half.
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
