"""axe-core on a page that a test drives.

The script comes from the package axe-playwright-python (requirements-test.txt), which carries it: half a megabyte under
a license of its own (MPL-2.0) need not stand here. Without the package the test is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.contrast import switch_mode

OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules that may hold by day and be broken by night, or the other way."""
ASKED = """async ([within, only, without]) => {
  const off = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
  const rules = only.length ? { runOnly: only } : { rules: { "target-size": { enabled: true }, ...off } };
  const found = await axe.run(within || document, { resultTypes: ["violations"], ...rules });
  return found.violations.filter((v) => ["serious", "critical"].includes(v.impact)).flatMap(
    (v) => v.nodes.map((n) => [v.impact, v.id, n.target.join(" "), n.html.slice(0, 99), n.failureSummary].join(" | ")));
}"""


def axe_script() -> str:
    """The script to add to the page."""
    found = find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("needs axe-core: pip install axe-playwright-python")
    return (Path(found.origin).parent / "axe.min.js").read_text("utf-8")


def serious(page: Any, within: str = "", *, only: Sequence[str] = (), without: Sequence[str] = ()) -> list[str]:
    """The violations of impact serious or critical in what the page shows, or in the part that a CSS selector tells,
    targets below 24 px included: of some rules only, or without some; the script has been added to the page."""
    return page.evaluate(ASKED, [within, list(only), list(without)])


def serious_in_both_modes(page: Any, within: str = "") -> list[str]:
    """What breaks a rule as the page is, and what breaks one of colors in the other mode, in which it is left."""
    found = serious(page, within)
    switch_mode(page)
    return found + serious(page, within, only=OF_COLOURS)
