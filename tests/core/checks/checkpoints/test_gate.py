"""The gate: what holds a second model back, as Markdown, as JUnit and as an exit code."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
import yaml

import errata
from core.checks.checkpoints.gate import gate
from core.checks.compare import compare
from core.checks.second_model import with_second
from core.cli.main import main
from core.data.tables.roles import Roles
from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.records import Bool, Diagnosis, Estimate, Insight, Outcomes
from core.reports.tables.gate import gate_cases, gate_junit, gate_markdown
from core.store import save
from tests.core.cli.test_documented import check
from tests.support.diagnoses import make_diagnosis
from tests.support.second_models import write_answers
from tests.support.words import with_words

QUICK = Settings(n_permutations=199, map=False, sensitivity=False)
N = 600


@pytest.fixture(scope="module")
def run() -> Diagnosis:
    """A first model that is wrong on a fifth, and on most of a confirmed cluster of 60; every twelfth sample lies apart
    in the embedding, outside the cluster."""
    made = make_diagnosis(n=N)
    rng = np.random.default_rng(4)
    errors = rng.random(N) < 0.2
    member = np.arange(N) % 10 == 3
    errors[member] = rng.random(member.sum()) < 0.6
    vectors = rng.normal(size=(N, 8)).astype(np.float32)
    vectors[apart(), 0] += 4
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cluster = replace(
        made.clusters[0],
        membership=member.astype(float),
        size=int(member.sum()),
        scope="all samples",
        error_rate=Estimate(float(errors[member].mean()), 0.4, 0.8),
    )
    outcomes = Outcomes(errors.astype(float), "0/1 error", "error", "given", errors=errors)
    samples = replace(made.samples, metadata=(), groups=None)
    embeddings = replace(made.embeddings, vectors=vectors)
    return replace(
        made, samples=samples, outcomes=outcomes, embeddings=embeddings, words=None, clusters=(cluster,), insights=()
    )


def apart() -> Bool:
    return np.arange(N) % 12 == 0


def with_findings(run: Diagnosis) -> tuple[Diagnosis, Bool]:
    """The run with two conditions in the class bus, of which one explains a cluster too; and the first one's rows."""
    made = make_diagnosis(n=N).insights[0]
    labels = run.samples.labels
    assert labels is not None
    bus = labels == run.samples.class_names.index("bus")
    rows, errors = np.flatnonzero(bus & (run.clusters[0].membership < 0.5)), errors_of(run)
    dark, wet = np.zeros(N, bool), np.zeros(N, bool)
    dark[rows[::4]], wet[rows[1::4]] = True, True

    def told(mask: Bool, text: str) -> Insight:
        inside, rest = float(errors[mask].mean()), float(errors[bus & ~mask].mean())
        sizes = {"mask": mask, "size": int(mask.sum()), "error_inside": inside, "error_outside": rest}
        known = {"error_difference": Estimate(inside - rest - 0.05, -0.2, 0.3), "confirmed": True, "p": 0.01}
        return replace(made, text=text, scope="bus", cluster=None, measure="error rate", **sizes, **known)

    condition, other = told(dark, "brightness at most 0.21"), told(wet, "rain at least 3")
    return replace(run, insights=(condition, replace(condition, cluster=0), other)), dark


def errors_of(run: Diagnosis) -> Bool:
    assert run.outcomes.errors is not None
    return run.outcomes.errors.copy()


def states(run: Diagnosis, wrong: Bool, path: Path, settings: Settings | None = QUICK) -> dict[str, str]:
    found = gate(run, write_answers(run, wrong, path), settings=settings)
    cases = gate_cases(run, found)
    assert found.passed == all(case.state != "failed" for case in cases)
    return {case.kind: case.state for case in cases}


def test_the_same_answers_pass(run: Diagnosis, tmp_path: Path) -> None:
    assert states(run, errors_of(run), tmp_path / "new.csv") == {
        "all samples": "passed",
        "group": "passed",
        "new regressions": "passed",
    }


def test_the_same_answers_change_nothing_in_a_cluster_that_is_wrong_throughout(run: Diagnosis, tmp_path: Path) -> None:
    wrong, member = errors_of(run), run.clusters[0].membership >= 0.5
    wrong[member] = True
    cluster = replace(run.clusters[0], error_rate=Estimate(0.9, 0.7, 1.0))
    outcomes = replace(run.outcomes, loss=wrong.astype(float), errors=wrong)
    same = replace(run, outcomes=outcomes, clusters=(cluster,))
    (asked,) = gate(same, write_answers(same, wrong, tmp_path / "new.csv"), settings=None).comparison.clusters
    assert asked.difference.value == pytest.approx(0)


def test_a_known_cluster_that_got_worse_fails(run: Diagnosis, tmp_path: Path) -> None:
    wrong = errors_of(run)
    wrong[run.clusters[0].membership >= 0.5] = True
    assert states(run, wrong, tmp_path / "new.csv", None) == {
        "all samples": "failed",
        "group": "failed",
        "new regressions": "skipped",
    }


def test_a_new_regression_fails_though_the_model_is_better_over_all(run: Diagnosis, tmp_path: Path) -> None:
    wrong = errors_of(run)
    rng = np.random.default_rng(5)
    wrong[~apart()] &= rng.random((~apart()).sum()) < 0.4
    wrong[apart()] = rng.random(apart().sum()) < 0.9
    told = states(run, wrong, tmp_path / "new.csv")
    assert (told["all samples"], told["group"], told["new regressions"]) == ("passed", "passed", "failed")
    found = gate(run, tmp_path / "new.csv", settings=QUICK)
    (new,) = [case.figure for case in gate_cases(run, found) if case.kind == "new regressions"]
    assert "; beyond the rest, class means set aside (whole classes are tested apart): " in new
    assert found.regressions is not None
    bare = replace(found.regressions, samples=replace(run.samples, labels=None, class_names=()))
    told_of = [case.figure for case in gate_cases(run, replace(found, regressions=bare))]
    assert "; beyond the rest: " in told_of[-1]


def test_a_region_that_only_stayed_behind_passes(run: Diagnosis, tmp_path: Path) -> None:
    wrong = errors_of(run)
    wrong[~apart()] = False
    wrong[np.flatnonzero(~wrong & ~apart())[:1]] = True  # one is broken, so that it is searched
    assert states(run, wrong, tmp_path / "new.csv")["new regressions"] == "passed"


def test_the_command_exits_with_1_and_writes_what_servers_read(
    run: Diagnosis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(run, tmp_path / "run.errata")
    wrong = errors_of(run)
    same, bad = write_answers(run, wrong, tmp_path / "same.csv"), tmp_path / "bad.csv"
    wrong[run.clusters[0].membership >= 0.5] = True
    write_answers(run, wrong, bad)
    asked = f"gate {tmp_path}/run.errata --permutations 199 --junit {tmp_path}/out/gate.xml".split()
    assert main([*asked, "--second", str(same)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("## Gate passed: same\n")
    rate = f"{100 * run.outcomes.errors[run.clusters[0].membership >= 0.5].mean():.0f}% wrong: 0.0 points ("
    assert next(line for line in told.splitlines() if "group: " in line).count(rate) == 1
    assert "| not shown worse |" in told
    assert "\n| all samples | " in told
    assert main([*asked, "--second", str(bad)]) == 1
    told = capsys.readouterr().out
    assert told.startswith("## Gate failed: bad is worse in ")
    assert "| **worse** |" in told
    suites = ET.parse(tmp_path / "out" / "gate.xml").getroot()
    failed = [case for case in suites.iter("testcase") if case.find("failure") is not None]
    assert suites.attrib["failures"] == str(len(failed))
    assert len(failed) >= 2
    assert main([*asked, "--second", str(tmp_path / "none.csv")]) == 2
    capsys.readouterr()
    answers = bad.read_bytes()
    assert main([*asked[:-1], str(bad), "--second", str(bad)]) == 2  # not over the answers
    assert "--junit would overwrite bad.csv" in capsys.readouterr().err
    assert bad.read_bytes() == answers
    assert main([*asked[:-1], str(bad / "gate.xml"), "--second", str(bad)]) == 2
    assert "Choose another --junit." in capsys.readouterr().err


def test_nothing_passes_where_nothing_can_be_tested(run: Diagnosis, tmp_path: Path) -> None:
    """One label that differs takes the whole test away."""
    roles = Roles(as_is=True)  # every class is taken for the next one
    answers = write_answers(run, np.ones(N, bool), tmp_path / "new.csv")
    table = pd.read_csv(answers)
    table.loc[0, "label"] = next(name for name in run.samples.class_names if name != table.loc[0, "label"])
    table.to_csv(answers, index=False)
    with pytest.raises(InvalidInput, match=r"Not tested: 1 of 600 samples .* the same labels"):
        errata.gate(run, str(answers), roles, settings=None)
    beside, name, _ = with_second(run, answers, roles)
    untested = compare(beside, "model", name)
    assert untested.untested in untested.notes
    assert untested.untested.startswith("Not tested: 1 of 600 samples")
    table["id"] = [*table["id"][:4], *(f"new {i}" for i in range(N - 4))]
    table.assign(label=table["label"].where(table.index > 0, table["label"][1])).iloc[1:].to_csv(answers, index=False)
    with pytest.raises(InvalidInput, match="new has 3 samples of the run; at least 5 are needed"):
        gate(run, answers, roles, settings=None)


def test_titles_open_no_cell_tag_or_link_and_the_xml_stays_whole(run: Diagnosis, tmp_path: Path) -> None:
    hostile = write_answers(run, errors_of(run), tmp_path / "a|b<img>![x](y)*_c_d\ufffe\x01.csv")
    found = gate(run, hostile, settings=None)
    told = gate_markdown(run, found)
    assert "a\\|b&lt;img&gt;!\\[x\\](y)\\*\\_c_d" in told
    assert "<img" not in told
    assert (told_all := ET.fromstring(gate_junit(run, found)).findtext("testsuite/system-out"))
    assert all(note in told_all for note in (*found.comparison.notes, *found.notes))
    assert found.notes
    sure = replace(found, comparison=replace(found.comparison, overall=replace(found.comparison.overall, p=1e-9)))
    assert "p < 0.001" in gate_markdown(run, sure).replace("\u00a0", " ")
    assert ET.fromstring(gate_junit(run, found))[0].attrib["name"].startswith("a|b<img>")


def test_the_workflow_to_copy_is_one(repository: Path) -> None:
    page = (repository / "docs" / "gate.md").read_text("utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    steps = yaml.safe_load(text)["jobs"]["gate"]["steps"]
    lines = [line.strip() for step in steps for line in step.get("run", "").splitlines()]
    (asked,) = [line for line in lines if line.startswith("errata gate")]
    check(asked.removeprefix("errata ").partition(" |")[0].partition(" >")[0])


def test_a_confirmed_condition_that_got_worse_fails_in_every_output(run: Diagnosis, tmp_path: Path) -> None:
    known, dark = with_findings(run)
    wrong = errors_of(known)
    wrong[dark] = True
    better = np.flatnonzero(wrong & ~dark & (known.clusters[0].membership < 0.5))
    wrong[better[: int(dark.sum())]] = False  # so that it is no worse over all
    found = gate(known, write_answers(known, wrong, tmp_path / "new.csv"), settings=None)
    cases = {case.title: case for case in gate_cases(known, found)}
    assert [case.kind for case in cases.values()] == [
        "all samples", "group", "condition", "condition", "new regressions",
    ]  # fmt: skip
    told = cases["bus: brightness at most 0.21"]
    assert (told.n, told.state) == (int(dark.sum()), "failed")
    assert [scope.kind for scope in found.worse] == ["condition"]
    assert not found.passed
    markdown, junit = gate_markdown(known, found), ET.fromstring(gate_junit(known, found))
    assert "| condition: bus: brightness at most 0.21 |" in markdown
    assert "each p is adjusted for all 3 (Holm)" in markdown
    failed = [case.attrib for case in junit.iter("testcase") if case.find("failure") is not None]
    assert [(case["classname"], case["name"]) for case in failed] == [
        ("errata.gate.condition", "bus: brightness at most 0.21")
    ]
    assert states(known, errors_of(known), tmp_path / "same.csv", None)["condition"] == "passed"


def test_the_findings_are_one_family_and_what_chose_them_is_taken_off(run: Diagnosis, tmp_path: Path) -> None:
    known, dark = with_findings(run)
    wrong = errors_of(known)
    wrong[known.clusters[0].membership >= 0.5] = True
    table = write_answers(known, wrong, tmp_path / "new.csv")
    alone, beside = gate(run, table, settings=None).findings, gate(known, table, settings=None).findings
    assert len(beside) == 3
    assert beside[0].difference.low < alone[0].difference.low  # for three at once
    assert beside[0].difference.high > alone[0].difference.high
    wrong = errors_of(known)
    wrong[np.flatnonzero(dark & wrong)] = False
    (found,) = [
        f for f in gate(known, write_answers(known, wrong, table), settings=None).findings if f.n == dark.sum()
    ][:1]
    assert found.difference.value == pytest.approx(errors_of(known)[dark].mean() - 0.05)


def test_a_phrase_is_said_in_quotes(run: Diagnosis, tmp_path: Path) -> None:
    known, _ = with_findings(run)
    worded = with_words(replace(known, insights=()))
    assert worded.words is not None
    phrase = replace(known.insights[0], kind="phrase", text=worded.words.phrases[0], number=0, tests=())
    some = replace(worded, insights=(phrase,), clusters=known.clusters)
    found = gate(some, write_answers(some, errors_of(some), tmp_path / "new.csv"), settings=None)
    (case,) = [case for case in gate_cases(some, found) if case.kind == "phrase"]
    assert case.title == f'bus: "{phrase.text}"'


@pytest.mark.parametrize("way", ["rows are missing", "answers are empty"])
def test_what_leaves_the_samples_that_are_wrong_without_an_answer_is_held_back(
    way: str, run: Diagnosis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(run, tmp_path / "run.errata")
    wrong, answers = errors_of(run), tmp_path / "new.csv"
    table = pd.read_csv(write_answers(run, np.zeros(N, bool), answers))  # right wherever it answers
    if way == "rows are missing":
        table = table[~wrong]
    else:
        table.loc[wrong, "prediction"] = None
    table.to_csv(answers, index=False)
    asked = f"gate {tmp_path}/run.errata --second {answers} --no-search --junit {tmp_path}/g.xml".split()
    left, share = int((~wrong).sum()), float((~wrong).mean())
    assert main(asked) == 1
    told = capsys.readouterr().out.replace("\u00a0", " ")
    assert told.startswith("## Gate failed: new leaves too many samples without an answer\n")
    assert (
        f"| {left:,} | {left:,} of {N:,} are answered ({100 * share:.1f}%), 100% are asked for | **too few** |" in told
    )
    (failed,) = [c for c in ET.parse(tmp_path / "g.xml").iter("testcase") if c.find("failure") is not None]
    assert failed.attrib == {"classname": "errata.gate.coverage", "name": "the run's samples"}
    assert main([*asked, "--coverage", f"{share + 0.001}"]) == 1
    assert main([*asked, "--coverage", f"{share - 0.001}"]) == 0
    assert "| enough |" in capsys.readouterr().out


def test_only_what_is_worse_by_more_than_the_margin_holds_back(run: Diagnosis, tmp_path: Path) -> None:
    wrong = errors_of(run)
    wrong[np.flatnonzero(~wrong)[:60]] = True  # 10 points more over all
    table = write_answers(run, wrong, tmp_path / "new.csv")
    overall = gate(run, table, settings=None).comparison.overall
    worst, least = 100 * -overall.difference.low, 100 * -overall.difference.high
    assert 0 < least < 10 < worst
    for margin, held in ((0.0, True), (least - 0.1, True), (least + 0.1, False), (worst, False)):
        found = gate(run, table, margin=margin, settings=None)
        assert (found.comparison.overall in found.worse) == held
        state = {case.kind: case.state for case in gate_cases(run, found)}["all samples"]
        assert state == ("failed" if held else "passed")
    told = gate_markdown(run, found)
    assert f"no more than {worst:g} points" in told
    assert "| not shown beyond the margin |" in told
    assert "not shown worse" not in told


def test_a_new_regression_within_the_margin_holds_nothing_back(run: Diagnosis, tmp_path: Path) -> None:
    wrong = errors_of(run)
    wrong[apart()] = True
    better = np.flatnonzero(wrong & ~apart() & (run.clusters[0].membership < 0.5))
    wrong[better] = False
    table = write_answers(run, wrong, tmp_path / "new.csv")
    assert gate(run, table, settings=QUICK, margin=2).new
    assert not gate(run, table, settings=QUICK, margin=95).new


@pytest.mark.parametrize("given", [{"coverage": 0.0}, {"coverage": 1.1}, {"margin": -1.0}, {"margin": np.nan}])
def test_a_coverage_or_margin_out_of_range_is_refused(given: dict[str, Any], run: Diagnosis, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="above 0 and at most 1, and margin between 0 and 100"):
        gate(run, write_answers(run, errors_of(run), tmp_path / "new.csv"), settings=None, **given)


def test_answers_need_be_no_file(run: Diagnosis, tmp_path: Path) -> None:
    frame = pd.read_csv(write_answers(run, errors_of(run), tmp_path / "new.csv"))
    for table in (frame, frame.to_dict("list"), str(tmp_path / "new.csv"), tmp_path / "new.csv"):
        assert errata.gate(run, table, settings=None).passed
    beside, names = run, list[str]()
    for _ in range(5):
        beside, name, _ = errata.with_second(beside, frame)
        names.append(name)
    assert names == ["second model", "table second model", "second model 2", "second model 3", "second model 4"]
    with pytest.raises(InvalidInput, match="second model does not show which answers are wrong"):
        errata.with_second(run, frame[["id"]].assign(loss=np.arange(N) / N))
    with pytest.raises(InvalidInput, match="No id of second model"):
        errata.with_second(run, frame.assign(id=[f"x{i}" for i in range(N)]))
