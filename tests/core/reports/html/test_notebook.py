"""What a notebook shows of a diagnosis: short, escaped, and the same claims as everywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.language.titles import capital
from core.reports.html.notebook import MOST_BYTES, notebook_html
from core.reports.tables.findings import COLUMNS, findings_table
from core.reports.wording.findings import cluster_figures, cluster_title
from core.reports.wording.verdict import PROXY, verdict
from tests.support.diagnoses import make_diagnosis
from tests.support.page import Page
from tests.support.words import with_words


@pytest.mark.parametrize("options", [{}, {"n": 200, "n_clusters": 9}, {"n_clusters": 0}, {"with_images": False}])
def test_the_cell_says_the_verdict_and_the_first_clusters(options: dict[str, Any]) -> None:
    diagnosis = make_diagnosis(**options)
    html = notebook_html(diagnosis)
    text = Page(html).text
    assert verdict(diagnosis) in text
    for cluster in diagnosis.clusters[:5]:
        assert f"{cluster_title(diagnosis, cluster)}. {capital(cluster_figures(diagnosis, cluster))}." in text
    more = len(diagnosis.clusters) - 5
    assert (f"And {more} more." in text) == (more > 0)
    assert len(html) < MOST_BYTES + 20_000


def test_long_names_make_no_long_cell() -> None:
    diagnosis = make_diagnosis()
    samples = diagnosis.samples
    ids, names = (tuple("x" * 9000 + name for name in names) for names in (samples.ids, samples.class_names))
    samples = replace(samples, ids=ids, class_names=names, name="x" * 9000)
    assert len(notebook_html(replace(diagnosis, samples=samples))) < 12_000


def test_nothing_of_the_users_data_becomes_markup_and_nothing_is_fetched() -> None:
    page = Page(notebook_html(make_diagnosis(hostile=True)))
    assert {tag for tag, _ in page.tags} <= {"div", "p", "b", "img", "blockquote"}
    for _, attributes in page.tags:
        assert set(attributes) <= {"style", "src", "alt", "title"}
        assert (attributes.get("src") or "data:image/webp;base64,").startswith("data:image/")


def test_its_own_words_are_one_line() -> None:
    diagnosis = make_diagnosis()
    assert repr(diagnosis) == (
        f"<Diagnosis of {diagnosis.samples.name!r}: {len(diagnosis.samples):,} samples, "
        f"confirmed clusters: {len(diagnosis.clusters)}>"
    )


def test_the_table_of_findings_holds_everything_that_is_claimed() -> None:
    diagnosis = with_words(make_diagnosis())
    table = findings_table(diagnosis)
    claimed = sum(c.confirmed for c in diagnosis.classes) + len(diagnosis.clusters)
    claimed += sum(i.confirmed for i in diagnosis.insights)
    assert list(table) == list(COLUMNS)
    assert table["confirmed"].sum() == claimed > 0
    assert table["sentence"].str.endswith(".").all()
    assert (table["kind"] == "hint").sum() == len(diagnosis.candidates)
    first, cluster = table[table["kind"] == "cluster"].iloc[0], diagnosis.clusters[0]
    assert (first["title"], first["size"], first["p"]) == (cluster_title(diagnosis, cluster), cluster.size, cluster.p)
    title, figures = cluster_title(diagnosis, cluster), capital(cluster_figures(diagnosis, cluster))
    assert first["sentence"] == f"Group 1, {title}. {figures}."
    looked = table[table["kind"] == "hint"]["sentence"]
    assert all(s.startswith(f"Hint, {cluster_title(diagnosis, c)}. ") for s, c in zip(looked, diagnosis.candidates))
    assert (first["excess_loss_low"], first["excess_loss"]) == (cluster.excess_loss.low, cluster.excess_loss.value)
    assert findings_table(make_diagnosis(n_clusters=0))["kind"].isin(["class", "confusion", "hint"]).all()


def test_a_proxy_is_called_one() -> None:
    diagnosis = make_diagnosis(with_errors=False)
    assert PROXY not in Page(notebook_html(diagnosis)).text
    proxy = replace(diagnosis, outcomes=replace(diagnosis.outcomes, is_proxy=True))
    assert PROXY in Page(notebook_html(proxy)).text
