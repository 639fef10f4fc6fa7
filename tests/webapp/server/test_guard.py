"""A small page behind the rules, asked from outside."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
import httpx
import pytest

from webapp.server import accounts
from webapp.server.accounts import Accounts
from webapp.server.page import SafeBlocks
from webapp.server.routes import API
from webapp.server.rules import WebRules
from webapp.server.settings import believe_proxies, launch_settings
from webapp.state.visitor import address

HOSTILE = "<img src=http://127.0.0.1:9/x onerror=alert(1)>"
EMBEDDING = "https://talks.org"


@dataclass(frozen=True)
class Served:
    """A running page."""

    address: str
    demo: gr.Blocks
    upload: str
    """Path of a file that was uploaded to it."""


def refuse(name: str) -> str:
    raise gr.Error(f"There is no column {name}.", print_exception=False)


def small_page() -> gr.Blocks:
    with SafeBlocks(analytics_enabled=False) as demo:
        file, name, size = gr.File(label="table"), gr.Textbox(), gr.Textbox()
        gr.Button().click(lambda f: str(f), file, size, api_name="size")
        gr.Button().click(refuse, name, size, api_name="say", queue=False)
        gr.Button().click(refuse, name, size, api_name="show", api_visibility="private", queue=False)
    return demo


def serve(rules: WebRules) -> Iterator[Served]:
    demo = small_page()
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings(rules))
    upload = ""
    if rules.accounts is None:
        page = "<script>document.title='owned'</script>"
        upload = httpx.post(f"{address}gradio_api/upload", files={"files": ("a.html", page)}).json()[0]
    yield Served(address, demo, upload)
    demo.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    yield from serve(WebRules())


@pytest.fixture(scope="module")
def embedded() -> Iterator[Served]:
    yield from serve(WebRules(embed_in=(EMBEDDING,)))


@pytest.fixture(scope="module")
def signed() -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "COST", {"n": 2, "r": 1, "p": 1})
        yield from serve(WebRules(accounts=Accounts({"ada": accounts.hash_password("right-password")})))


def test_another_host_or_origin_reads_nothing_and_leaves_no_file(served: Served) -> None:
    for headers in ({"Host": "evil.example:7860"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        for path in ("", "config", "gradio_api/info", f"gradio_api/file={served.upload}"):
            answer = httpx.get(served.address + path, headers=headers)
            assert answer.status_code in (403, 421), (headers, path)
            assert "access-control-allow-origin" not in answer.headers
            assert set(answer.json()) == {"detail"}
        before = set(served.demo.upload_file_set)
        answer = httpx.post(f"{served.address}gradio_api/upload", files={"files": ("a", b"a")}, headers=headers)
        assert answer.status_code in (403, 421)
        assert served.demo.upload_file_set == before
        asked = {**headers, "Access-Control-Request-Method": "POST"}
        asked.setdefault("Origin", "https://evil.example")
        assert "access-control-allow-origin" not in httpx.options(f"{served.address}config", headers=asked).headers


def test_a_program_uploads_and_calls_as_ever(served: Served) -> None:
    from gradio_client import Client, handle_file

    client = Client(served.address, verbose=False)
    assert client.predict(handle_file(served.upload), api_name="/size").endswith("a.html")


def test_a_page_that_may_embed_this_one_is_told_so(embedded: Served) -> None:
    answer = httpx.get(f"{embedded.address}config", headers={"Origin": EMBEDDING})
    assert answer.headers["access-control-allow-origin"] == EMBEDDING
    assert "Origin" in answer.headers["vary"]
    asked = {"Origin": EMBEDDING, "Access-Control-Request-Method": "POST"}
    assert httpx.options(f"{embedded.address}gradio_api/queue/join", headers=asked).status_code == 204
    page = httpx.get(embedded.address).headers
    assert page["content-security-policy"].endswith(f"frame-ancestors 'self' {EMBEDDING}")
    assert "x-frame-options" not in page
    stranger = httpx.get(f"{embedded.address}config", headers={"Origin": "https://evil.example"})
    assert stranger.status_code == 403


@pytest.mark.parametrize("address", ["http://lookup.invalid/x", "https://lookup.invalid/x", "//lookup.invalid/x"])
def test_an_address_as_a_file_argument_is_refused_and_no_host_is_looked_up(
    served: Served, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real: Callable[..., Any] = socket.getaddrinfo

    def watched(host: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(str(host))
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", watched)
    api = f"{served.address}gradio_api"
    for file in (
        {"path": address},
        {"path": address, "meta": {"_type": "gradio.FileData"}},
        {"path": served.upload, "url": address},
        {"url": address, "meta": {"_type": "gradio.FileData"}},
    ):
        for path in ("queue/join", "call/size", "run/size", "api/size", "call/v2/size", "component_server"):
            said = httpx.post(f"{api}/{path}", json={"data": [file], "fn_index": 0, "session_hash": "s", "f": file})
            assert said.status_code == 400, path
            assert "Upload the file" in said.json()["detail"]
    assert httpx.get(f"{api}/file={address}").status_code == 403
    assert {host for host in asked if "lookup" in host} == set()


def test_a_call_that_is_no_json_or_too_large_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    join = f"{served.address}gradio_api/queue/join"
    assert httpx.post(join, content=b"[" * 100_000).status_code == 400
    monkeypatch.setattr("webapp.server.arguments.MAX_BODY", 1000)
    answer = httpx.post(join, json={"data": ["x" * 2000]})
    assert (answer.status_code, "Upload" in answer.json()["detail"]) == (413, True)


def test_the_page_runs_its_own_scripts_alone(served: Served) -> None:
    answer = httpx.get(served.address)
    policy = answer.headers["content-security-policy"]
    rules: dict[str, str] = {}
    for part in policy.split("; "):
        name, _, allowed = part.partition(" ")
        rules[name] = allowed
    assert "'unsafe-inline'" not in rules["script-src"]
    assert len(re.findall(r"'sha256-", rules["script-src"])) == len(re.findall(r"<script(?![^>]*\ssrc=)", answer.text))
    for rule in ("default-src", "object-src", "frame-src"):
        assert rules[rule] == "'none'"
    for rule in ("connect-src", "form-action", "base-uri", "frame-ancestors"):
        assert rules[rule] == "'self'"
    assert rules["img-src"] == "'self' data: blob:"


@pytest.mark.parametrize("path", ["", "config", "theme.css", "gradio_api/info", "nowhere", "gradio_api/heartbeat/"])
def test_every_answer_carries_the_browsers_rules(served: Served, path: str) -> None:
    headers = httpx.get(served.address + path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert "geolocation=()" in headers["permissions-policy"]
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert "x-inline-scripts" not in headers


def test_an_uploaded_page_is_handed_out_as_a_file_that_runs_nothing(served: Served) -> None:
    answer = httpx.get(f"{served.address}gradio_api/file={served.upload}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"].startswith("application/octet-stream")
    assert "sandbox" in answer.headers["content-security-policy"]


def test_the_page_asks_no_foreign_host(served: Served) -> None:
    page = httpx.get(served.address).text
    assert re.findall(r"""(?:src|href)=["']?(?:https?:)?//[^"'\s>]+""", page) == []
    for name in set(re.findall(r'href="\./(assets/[^"]+\.css)"', page)):
        assert not re.findall(r"url\(['\"]?(?:https?:)?//", httpx.get(served.address + name).text)


def test_what_a_request_says_of_its_own_address_is_not_believed(served: Served) -> None:
    forged = {"X-Forwarded-Host": "evil.example", "X-Gradio-Server": "http://evil.example"}
    assert "evil.example" not in httpx.get(f"{served.address}config", headers=forged).text


def test_an_error_is_text_on_the_page_and_as_it_is_for_programs(served: Served) -> None:
    said = {name: _error(served, name) for name in ("show", "say")}
    assert said["say"] == f"There is no column {HOSTILE}."
    assert said["show"] == "There is no column &lt;img src=http://127.0.0.1:9/x onerror=alert(1)&gt;."


def _error(served: Served, name: str) -> str:
    config = httpx.get(f"{served.address}config").json()
    index = next(d["id"] for d in config["dependencies"] if d["api_name"] == name)
    body = {"data": [HOSTILE], "fn_index": index, "session_hash": "s"}
    return httpx.post(f"{served.address}gradio_api/run/predict", json=body).json()["error"]


STREAMS = (
    "heartbeat/{session_hash}",
    "queue/data",
    "upload_progress",
    "dev/reload",
    "{event_id}",
    "call/v2/{api_name}",
)


def paths_of(demo: gr.Blocks) -> list[str]:
    """Every path that Gradio knows, but those that stream without an end."""
    routers = [demo.app, *(r.original_router for r in demo.app.routes if hasattr(r, "original_router"))]
    paths = {getattr(route, "path", "").rstrip("/") or "/" for router in routers for route in router.routes}
    assert len(paths) > 50
    return sorted(path for path in paths if not path.endswith(STREAMS))


def test_only_these_routes_answer(served: Served) -> None:
    opened = set()
    for path in paths_of(served.demo):
        asked = re.sub(r"\{[^}]*\}", "x", path)
        for method in ("GET", "POST"):
            answer = httpx.request(method, served.address.rstrip("/") + asked)
            if "No page at this address" not in answer.text:
                opened.add((method, path))
    get, post = ({path.removeprefix(API) for method, path in opened if method == m} for m in ("GET", "POST"))
    assert get == {
        "/", "/app_id", "/assets/{path:path}",
        "/config", "/favicon.ico", "/file={path_or_url:path}", "/info", "/login_check", "/logout", "/manifest.json",
        "/pwa_icon", "/queue/status", "/robots.txt", "/startup-events", "/static/{path:path}",
        "/svelte/{path:path}", "/theme.css",
    }  # fmt: skip
    assert post == {
        "/api/{api_name}", "/call/{api_name}", "/cancel", "/component_server", "/login",
        "/queue/join", "/reset", "/run/{api_name}", "/upload",
    }  # fmt: skip


def test_without_an_account_nothing_is_read_and_nothing_is_left(signed: Served) -> None:
    free = set()
    streams = [f"{API}/heartbeat/x", f"{API}/queue/data?session_hash=x", f"{API}/upload_progress?upload_id=x"]
    for path in [re.sub(r"\{[^}]*\}", "x", path) for path in paths_of(signed.demo)] + streams:
        for method in ("GET", "POST"):
            answer = httpx.request(method, signed.address.rstrip("/") + path)
            if answer.status_code != 401 and "No page at this address" not in answer.text:
                free.add((method, path))
    assert free == {
        ("GET", "/"), ("GET", "/logout"), ("GET", "/theme.css"), ("GET", "/favicon.ico"), ("GET", "/manifest.json"),
        ("GET", "/pwa_icon"), ("GET", "/robots.txt"), ("GET", f"{API}/startup-events"), ("POST", "/login"),
        ("GET", "/assets/x"), ("GET", "/static/x"), ("GET", "/svelte/x"),
    }  # fmt: skip
    config = re.search(r"window\.gradio_config = (\{.*?\});</script>", httpx.get(signed.address).text, re.DOTALL)
    assert config is not None
    assert '"auth_required":true' in config[1]
    assert "table" not in config[1]


def test_with_an_account_the_page_and_programs_work_and_cookies_are_bound_to_it(signed: Served) -> None:
    from gradio_client import Client

    with httpx.Client() as browser:
        wrong = browser.post(f"{signed.address}login", data={"username": "ada", "password": "wrong"})
        assert wrong.status_code == 400
        foreign = browser.post(f"{signed.address}login", headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403
        right = browser.post(f"{signed.address}login", data={"username": "ada", "password": "right-password"})
        cookies = right.headers.get_list("set-cookie")
        assert len(cookies) == 2
        assert all("HttpOnly" in c and c.count("SameSite") == 1 and "SameSite=Lax" in c for c in cookies)
        assert browser.get(f"{signed.address}config").status_code == 200
        assert browser.get(f"{signed.address}gradio_api/token").status_code == 404
        browser.get(f"{signed.address}logout", follow_redirects=True)
        assert browser.get(f"{signed.address}config").status_code == 401
    client = Client(signed.address, auth=("ada", "right-password"), verbose=False)
    with pytest.raises(Exception, match="no column x"):
        client.predict("x", api_name="/say")


@pytest.mark.parametrize("path", ["call/size/unknown", "call/v2/size/unknown", "queue/data?session_hash=unknown"])
def test_an_unknown_event_ends_in_an_answer_and_no_traceback(
    served: Served, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert httpx.get(f"{served.address}gradio_api/{path}").status_code == 200
    assert "Traceback" not in caplog.text


def test_an_address_that_a_request_says_of_itself_counts_only_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    def where_from(rules: WebRules) -> str:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", "127.0.0.1")
        believe_proxies(rules)
        with SafeBlocks(analytics_enabled=False) as demo:
            gr.Button().click(address, None, gr.Textbox(), api_name="address", queue=False)
        _, here, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings(rules))
        said = httpx.post(
            f"{here}gradio_api/run/address", json={"data": []}, headers={"X-Forwarded-For": "9.9.9.9"}
        ).json()
        demo.close()
        return said["data"][0]

    assert where_from(WebRules()) == "127.0.0.1"
    assert where_from(WebRules(behind_proxy=True)) == "9.9.9.9"


@pytest.mark.parametrize("path", ["gradio_api/heartbeat/{}", "gradio_api/queue/data?session_hash={}"])
def test_a_visit_is_named_shortly_in_an_address_too(served: Served, path: str) -> None:
    answer = httpx.get(served.address + path.format("x" * 65))
    assert answer.status_code == 400
    assert "session_hash" in answer.text
