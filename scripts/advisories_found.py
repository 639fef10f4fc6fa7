"""What pip-audit found, in lines for people, and the exit code of scripts/advisories."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

NONE = 0
SOME = 1
UNTOLD = 4


def read(text: str) -> list[dict[str, Any]]:
    """The packages of one or more JSON results, one a line."""
    return [
        package for line in text.splitlines() if line.startswith("{") for package in json.loads(line)["dependencies"]
    ]


def summarise(packages: list[dict[str, Any]]) -> tuple[list[str], int]:
    """Lines to print, and the exit code: an advisory counts more than a package of which nothing is told."""
    lines: list[str] = []
    for package in packages:
        for one in package.get("vulns", []):
            mended = ", ".join(one.get("fix_versions", [])) or "no version yet"
            lines.append(f"{package['name']} {package['version']}: {one['id']}, mended in {mended}")
    n_known = len(lines)
    untold = [package["name"] for package in packages if "skip_reason" in package]
    word = "advisory" if n_known == 1 else "advisories"
    told = len(packages) - len(untold)
    lines.append(f"{n_known:,} {word} for {told:,} of {len(packages):,} packages that the index tells of")
    if untold or not packages:
        lines.append(f"It does not tell of: {', '.join(untold) or 'anything'}. Try --service osv, or ask elsewhere.")
    return lines, SOME if n_known else UNTOLD if untold or not packages else NONE


if __name__ == "__main__":
    said, code = summarise(read(Path(sys.argv[1]).read_text("utf-8")))
    print("\n".join(said))
    sys.exit(code)
