"""Which pages may make a browser ask."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.webapp.server.test_hosts import ask
from webapp.server.origins import from_another_site
from webapp.server.rules import WebRules

EMBEDDED = WebRules(embed_in=("https://talks.org",))


def refused(
    host: str = "127.0.0.1:7860", rules: WebRules = WebRules(), method: str = "POST", path: str = "/", **more: str
) -> bool:
    asked = replace(ask(host, rules=rules, **more), method=method, path=path)
    return from_another_site(asked, rules) is not None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:7860", "http://127.0.0.1:7860"),
        ("errata.lab.org", "https://errata.lab.org"),
        ("errata.lab.org:443", "https://errata.lab.org"),
        ("ERRATA.lab.org", "http://errata.lab.org:80"),
        ("[::1]:7860", "http://[::1]:7860"),
    ],
)
def test_the_pages_own_requests_pass_with_tls_before_it_or_without(host: str, origin: str) -> None:
    assert not refused(host, origin=origin, sec_fetch_site="same-origin")


@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS", "PUT"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:8888",
        "http://localhost:7860",
        "http://127.0.0.1:7860.evil.example",
        "file://",
        "",
        "http://127.0.0.1",
    ],
)
def test_another_sites_page_is_refused_whatever_it_does(origin: str, method: str) -> None:
    assert refused(method=method, origin=origin)


def test_programs_name_no_origin_and_pass() -> None:
    assert not refused()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_without_an_origin_the_browsers_own_word_counts_and_links_may_be_followed(site: str) -> None:
    assert refused(sec_fetch_site=site)
    assert refused(method="GET", sec_fetch_site=site, sec_fetch_mode="no-cors")
    assert refused(method="GET", path="/logout", sec_fetch_site=site, sec_fetch_mode="navigate")
    assert not refused(method="GET", path="/logout", sec_fetch_site="same-origin", sec_fetch_mode="navigate")
    assert refused(sec_fetch_site=site, sec_fetch_mode="navigate")  # a form of another site
    assert not refused(method="GET", sec_fetch_site=site, sec_fetch_mode="navigate")


def test_a_page_that_may_embed_this_one_may_ask_and_no_other() -> None:
    assert not refused(rules=EMBEDDED, origin="https://talks.org")
    assert not refused(rules=EMBEDDED, method="GET", sec_fetch_site="cross-site", referer="https://talks.org/one")
    assert refused(rules=EMBEDDED, method="GET", sec_fetch_site="cross-site", referer="https://evil.example/talks.org")
    assert refused(rules=EMBEDDED, origin="https://talks.org.evil.example")
    assert refused(rules=EMBEDDED, origin="http://talks.org")
    assert refused(rules=EMBEDDED, origin="null")
    assert not refused(rules=WebRules(embed_in=("null",)), origin="null")
