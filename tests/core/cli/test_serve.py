"""The command that opens the page: what its operator may say."""

from __future__ import annotations

import io
import socket
from pathlib import Path
from typing import Any

import pytest

from core.cli.main import main
from core.cli.serve import check_free


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `serve` would have opened the page with."""
    said: list[Any] = []
    monkeypatch.setattr("core.cli.serve.check_free", lambda host, port: None)
    monkeypatch.setattr("webapp.app.main", lambda rules, **more: said.append((rules, more)))
    return said


def test_without_options_the_page_is_this_machines_alone(opened: list[Any]) -> None:
    assert main(["serve"]) == 0
    ((rules, more),) = opened
    assert (rules.listening, rules.allow_host, rules.embed_in, rules.behind_proxy) == ("127.0.0.1", (), (), False)
    assert rules.accounts is None
    assert more == {"port": 7860, "root": None, "max_minutes": None, "runs": (), "keep": ""}


def test_a_port_that_is_taken_is_named_with_one_that_is_free(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    told = capsys.readouterr().err
    assert f"Port {port} is in use. Use --port " in told
    free = int(told.rpartition("--port ")[2].rstrip().rstrip("."))
    check_free("127.0.0.1", free)


def test_finished_runs_are_opened_by_their_folders(opened: list[Any]) -> None:
    assert main(["serve", "one", "two/run", "--port", "7999"]) == 0
    ((_, more),) = opened
    assert (more["runs"], more["port"]) == ((Path("one"), Path("two/run")), 7999)


def test_an_operator_says_who_may_ask(opened: list[Any]) -> None:
    asked = "serve --host 0.0.0.0 --allow-host a.org *.b.org --embed-in https://c.org --behind-proxy --root-path /e"
    assert main(asked.split()) == 0
    ((rules, _),) = opened
    assert (rules.listening, rules.allow_host, rules.embed_in) == ("0.0.0.0", ("a.org", "*.b.org"), ("https://c.org",))
    assert (rules.behind_proxy, rules.root_path, rules.mcp) == (True, "/e", False)
    assert main(["serve", "--mcp"]) == 0
    assert opened[1][0].mcp


def test_an_account_is_added_from_a_pipe_and_then_asked_for(
    opened: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.server.accounts.COST", {"n": 2, "r": 1, "p": 1})
    monkeypatch.setattr("sys.stdin", io.StringIO("right-password\n"))
    file = str(tmp_path / "accounts")
    assert main(["serve", "--auth", file, "--add-user", "ada"]) == 0
    assert opened == []
    assert main(["serve", "--auth", file]) == 0
    assert opened[0][0].accounts is not None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--allow-host", "http://x"], "--allow-host"),
        (["--embed-in", "x"], "--embed-in"),
        (["--root-path", "x"], "--root-path"),
        (["--auth", "/absent/accounts"], "--auth"),
        (["--add-user", "ada"], "--auth FILE"),
    ],
)
def test_what_cannot_be_used_gets_one_message(
    opened: list[Any], asked: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *asked]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert opened == []
