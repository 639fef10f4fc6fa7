"""A table is fetched by its address from where the operator allows it, and from nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.errors import InvalidInput
from core.records import no_progress
from tests.support.visits import serve
from webapp.data.by_address import allowed_part, fetch_table
from webapp.server.rules import WebRules
from webapp.state import home
from webapp.state.quotas import quotas
from webapp.state.uploads import UPLOADS

TABLE = b"id,loss\n1,.5\n"
ASKED: list[str] = []
"""Paths that the server was asked for."""


class Handler(BaseHTTPRequestHandler):
    """A site with a table, and addresses that lead on."""

    def do_GET(self) -> None:
        """Answer by the path."""
        ASKED.append(self.path)
        port = self.connection.getsockname()[1]
        to = {
            "/data/moved.csv": "/data/table.csv",
            "/data/elsewhere.csv": f"http://localhost:{port}/data/table.csv",
            "/data/out.csv": "/secret.csv",
            "/data/round.csv": "/data/round.csv",
        }.get(self.path)
        if to:
            self.send_response(302)
            self.send_header("Location", to)
            self.end_headers()
        elif self.path == "/data/short.csv":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(TABLE)
        elif self.path == "/data/endless.csv":
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(4096):
                    self.wfile.write(bytes(2**16))
            except OSError:
                pass
        elif self.path.startswith("/data/table.csv"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(TABLE)
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Address of the site, on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def asked() -> Iterator[None]:
    """Begin with no request, and leave no upload."""
    ASKED.clear()
    serve("a visit")
    yield
    UPLOADS.release("a visit")


@pytest.mark.parametrize("name", ["table.csv", "moved.csv", "table.csv?download=true"])
def test_a_table_becomes_an_upload_of_its_visitor(site: str, name: str) -> None:
    path = fetch_table(f" {site}/data/{name}\n", [f"{site}/data"], no_progress)
    assert path.read_bytes() == TABLE
    assert path.name == name.partition("?")[0]
    assert UPLOADS.holds(path)
    UPLOADS.release("a visit")
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "address",
    [
        "/secret.csv", "/database/table.csv", "/data/../secret.csv", "/data/%2e%2e/secret.csv", "/data/..%2fsecret.csv",
        "/data\\..\\secret.csv", "/data/\ttable.csv",
    ],
)  # fmt: skip
def test_an_address_outside_is_not_asked(site: str, address: str) -> None:
    with pytest.raises(InvalidInput, match="must be below http://127"):
        fetch_table(site + address, [f"{site}/data"], no_progress)
    assert ASKED == []


@pytest.mark.parametrize(
    "address",
    [
        "", "x", "file:///etc/passwd", "https://ok.org.evil.org/d/t.csv", "https://ok.org@evil.org/d/t.csv",
        "https://evil.org/https://ok.org/d/t.csv", "http://ok.org/d/t.csv", "https://ok.org:8443/d/t.csv",
        "https://user:word@ok.org/d/t.csv", "https://[::1/d/t.csv", "//ok.org/d/t.csv", "https://ok.org",
    ],
)  # fmt: skip
def test_other_hosts_schemes_and_ports_are_not_allowed(address: str) -> None:
    assert allowed_part(address, ["https://ok.org/d"]) == ""


def test_below_a_prefix_is_allowed() -> None:
    for prefix in ("https://ok.org/d", "https://ok.org/d/", "https://ok.org"):
        assert allowed_part("https://OK.org/d/x/t.parquet?y=1", [prefix]) == prefix


@pytest.mark.parametrize(
    ("name", "said", "last"),
    [
        ("elsewhere.csv", "leads on to 'localhost:", "/data/elsewhere.csv"),
        ("out.csv", "leads on to '127.0.0.1:", "/data/out.csv"),
        ("round.csv", "more than 5 times", "/data/round.csv"),
        ("absent.csv", "its server answers 404", "/data/absent.csv"),
        ("short.csv", "Cannot read", "/data/short.csv"),
    ],
)
def test_what_cannot_be_fetched_gets_one_message_and_leaves_nothing(site: str, name: str, said: str, last: str) -> None:
    before = list(home.part("uploads").iterdir())
    with pytest.raises(InvalidInput) as raised:
        fetch_table(f"{site}/data/{name}", [f"{site}/data"], no_progress)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert ASKED[-1] == last
    assert list(home.part("uploads").iterdir()) == before


def test_only_tables_are_fetched(site: str) -> None:
    with pytest.raises(InvalidInput, match=r"ends with \.parquet or \.csv: got 'weights\.bin'"):
        fetch_table(f"{site}/data/weights.bin", [f"{site}/data"], no_progress)
    assert ASKED == []


def test_an_endless_table_ends_at_the_visitors_limit(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = quotas()
    monkeypatch.setattr("webapp.state.uploads.quotas", lambda: replace(limits, max_own_upload_bytes=3 * 2**20))
    with pytest.raises(InvalidInput, match="Your files may take 3 MiB"):
        fetch_table(f"{site}/data/endless.csv", [f"{site}/data"], no_progress)
    assert UPLOADS.reserve("") == ""
    UPLOADS.unreserve("", 1)


@pytest.mark.parametrize("prefix", ["huggingface.co", "ftp://x.org", "https://x.org/a?b", "https://X.org", ""])
def test_the_operator_names_addresses(prefix: str) -> None:
    with pytest.raises(InvalidInput, match="--files-from takes an address"):
        WebRules(files_from=(prefix,))
