"""Which names the server answers to."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from webapp.server.asked import Asked, read_request, split_host
from webapp.server.hosts import is_loopback, unknown_host
from webapp.server.rules import WebRules


def ask(*hosts: str, rules: WebRules = WebRules(), **more: str) -> Asked:
    """A request with these Host headers; other headers by name, dashes as underscores."""
    headers: list[tuple[bytes, bytes]] = [(b"host", host.encode()) for host in hosts]
    headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in more.items()]
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": headers}
    return read_request(scope, rules)


def status(asked: Asked, rules: WebRules = WebRules()) -> int:
    refusal = unknown_host(asked, rules)
    return refusal.status if refusal else 200


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:7860", "localhost", "LocalHost:80", "localhost.", "[::1]:7860", "127.9.9.9", "[::ffff:127.0.0.1]"],
)
def test_a_server_of_this_machine_answers_to_its_own_names(host: str) -> None:
    assert status(ask(host)) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:7860",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "10.0.0.5",
        "[2001:db8::1]",
        "0.0.0.0",
        "2130706433",
        "lab",
    ],
)
def test_a_server_of_this_machine_answers_to_no_other_name(host: str) -> None:
    refusal = unknown_host(ask(host), WebRules())
    assert refusal is not None
    assert refusal.status == 421
    assert "--allow-host" in refusal.text


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        ("localhost", "localhost"),
        ("localhost", "evil.example"),
        ("",),
        ("a b",),
        ("localhost:x",),
        ("localhost:99999",),
        ("[::1",),
        ("[localhost]",),
        ("user@localhost",),
        ("localhost/x",),
        ("[fe80::1%eth0]",),
    ],
)
def test_a_request_without_one_readable_host_is_refused(hosts: tuple[str, ...]) -> None:
    assert status(ask(*hosts)) == 400


def test_a_server_of_the_network_answers_to_addresses_its_host_name_and_what_it_was_told() -> None:
    rules = WebRules("0.0.0.0", ("errata.lab.org", "*.example.org"))
    own = socket.gethostname()
    for host in ("192.168.1.7:7860", "[2001:db8::1]", own, f"{own}.local:80", "Errata.Lab.org", "a.b.example.org"):
        assert status(ask(host), rules) == 200, host
    for host in ("evil.example", "lab.org", "example.org", "notexample.org", f"{own}.evil.example"):
        assert status(ask(host), rules) == 421, host


def test_the_name_that_it_listens_on_is_its_own() -> None:
    assert status(ask("lab-seven:7860"), WebRules("lab-seven")) == 200


def test_what_a_proxy_forwards_counts_only_where_one_was_told_of_and_never_hides_the_host() -> None:
    told = WebRules(allow_host=("errata.lab.org",), behind_proxy=True)
    assert ask("localhost", x_forwarded_host="evil.example").host == "localhost"
    assert ask("localhost", rules=told, x_forwarded_host="errata.lab.org, inner").host == "errata.lab.org"
    assert status(ask("localhost", rules=told, x_forwarded_host="evil.example"), told) == 421
    assert status(ask("evil.example", rules=told, x_forwarded_host="errata.lab.org"), told) == 421


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("A.example:80", ("a.example", 80)),
        ("a_b", ("a_b", None)),
        ("[::1]", ("::1", None)),
        ("bücher.example", None),
        ("x:", ("x", None)),
        ("x:1:2", None),
        ("x:" + "1" * 5_000, None),
    ],
)
def test_a_host_is_split_into_name_and_port(said: str, found: Any) -> None:
    assert split_host(said) == found


@pytest.mark.parametrize(
    ("listening", "alone"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("lab", False)],
)
def test_what_only_this_machine_reaches_is_told_from_the_network(listening: str, alone: bool) -> None:
    assert is_loopback(listening) is alone
