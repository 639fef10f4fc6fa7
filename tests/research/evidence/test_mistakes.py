from research.evidence.mistakes import totals
from tests.mistakes.judging import Mistake


def test_outcomes_are_counted_by_task_and_vague_refusals_apart() -> None:
    losses, names = (Mistake("", base, "percent", lambda t, w: t) for base in ("losses", "names"))
    judged = [(losses, "refused", "Not a number."), (losses, "refused", "In percent."), (names, "SILENT", "")]
    lines = [line.split() for line in totals(judged).splitlines()]
    assert lines[1:] == [
        ["losses", "0", "2", "0", "0", "0", "2", "1"],
        ["classes", "0", "0", "0", "0", "1", "1", "0"],
        ["all", "0", "2", "0", "0", "1", "3", "1"],
    ]
