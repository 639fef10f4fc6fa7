"""Summarize the result of pip-audit in lines, with the exit code of scripts/advisories."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

NONE = 0
SOME = 1
UNKNOWN = 4


def read(text: str) -> list[dict[str, Any]]:
    """Read the packages of JSON results, one result per line."""
    packages: list[dict[str, Any]] = []
    for line in text.splitlines():
        if line.startswith("{"):
            packages += json.loads(line)["dependencies"]
    return packages


def summarise(packages: list[dict[str, Any]]) -> tuple[list[str], int]:
    """Return lines to print and the exit code; an advisory takes precedence over a package unknown to the index."""
    lines: list[str] = []
    for package in packages:
        for advisory in package.get("vulns", []):
            fixed = ", ".join(advisory.get("fix_versions", [])) or "no version yet"
            lines.append(f"{package['name']} {package['version']}: {advisory['id']}, fixed in {fixed}")
    n_known = len(lines)
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    word = "advisory" if n_known == 1 else "advisories"
    lines.append(f"{n_known:,} {word} for {len(packages) - len(unknown):,} of {len(packages):,} packages in the index")
    code = SOME if n_known else NONE
    if unknown or not packages:
        lines.append(f"Not in the index: {', '.join(unknown) or 'any package'}. Try --service osv.")
        code = code or UNKNOWN
    return lines, code


if __name__ == "__main__":
    summary, code = summarise(read(Path(sys.argv[1]).read_text("utf-8")))
    print("\n".join(summary))
    sys.exit(code)
