"""The command that asks other engines about a run."""

from __future__ import annotations

from pathlib import Path

from core.cli.command import argument, command, option
from core.cli.options import RUN, SEED
from core.cli.terminal import TerminalProgress, say


@command()
@argument("run", "RUN", RUN)
@option("--engines NAME", "such as domino or spotlight (default domino, sliceguard and spotlight)")
@option("--out FILE", "file to write: .csv, .parquet or .json")
@SEED
def peers(
    run: Path, engines: tuple[str, ...] = ("domino", "sliceguard", "spotlight"), out: Path | None = None, seed: int = 0
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
