"""What an operator may say about who asks."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from webapp.server.rules import WebRules, on_this_platform


@pytest.mark.parametrize("name", ["https://lab.org", "lab.org:80", "lab.org/x", "", "*", "*.", "a b", "-x"])
def test_a_host_is_a_name_alone(name: str) -> None:
    with pytest.raises(InvalidInput, match="--allow-host"):
        WebRules(allow_host=(name,))


@pytest.mark.parametrize("origin", ["lab.org", "https://lab.org/", "https://lab.org; script-src *", "*", "https://a b"])
def test_an_origin_cannot_slip_another_rule_into_the_pages_policy(origin: str) -> None:
    with pytest.raises(InvalidInput, match="--embed-in"):
        WebRules(embed_in=(origin,))


@pytest.mark.parametrize("path", ["errata", "/a b", "/<x>", "//evil.example"])
def test_a_root_path_is_a_path(path: str) -> None:
    with pytest.raises(InvalidInput, match="--root-path"):
        WebRules(root_path=path)


def test_a_space_answers_to_its_own_names_inside_huggingface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert on_this_platform(WebRules("0.0.0.0")) == WebRules("0.0.0.0")
    monkeypatch.setenv("SPACE_ID", "me/errata")
    monkeypatch.setenv("SPACE_HOST", "me-errata.hf.space,errata.org")
    monkeypatch.setenv("ERRATA_EMBED_IN", "https://talks.org")
    rules = on_this_platform(WebRules("0.0.0.0"))
    assert {"*.hf.space", "me-errata.hf.space", "errata.org"} <= set(rules.allow_host)
    assert set(rules.embed_in) == {"https://huggingface.co", "https://talks.org"}
    assert rules.behind_proxy
