"""What every benchmark shares: a file of JSON lines that can be resumed, intervals over runs, and the options of those
that run seeds with something planted or with nothing."""

import argparse
from pathlib import Path

from core.statistics.runs import clopper_pearson, mean_over, show
from research.lines import append_line, keys_done, read_lines

__all__ = ["append_line", "clopper_pearson", "keys_done", "mean_over", "read_lines", "seeds_parser", "show"]


def seeds_parser(about: str | None, seeds: tuple[int, int]) -> argparse.ArgumentParser:
    """`--null`, `--seeds FIRST END`, `--out FILE` and `--show FILE`."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--null", action="store_true")
    parser.add_argument("--seeds", type=int, nargs=2, default=seeds, metavar=("FIRST", "END"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    return parser
