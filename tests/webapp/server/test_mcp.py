"""The endpoints as tools of an MCP server, asked over HTTP as its clients do."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gradio.mcp
import httpx
import pytest

from core.errors import InvalidInput, MissingDependency
from core.store import save
from tests.support.diagnoses import make_diagnosis
from webapp.app import build_app
from webapp.server import mcp
from webapp.server.mcp import keep_files_here, require_mcp
from webapp.server.rules import WebRules
from webapp.server.settings import launch_settings

HEADERS = {"Accept": "application/json, text/event-stream"}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where the tools of a page with one example are."""
    pytest.importorskip("mcp", reason='needs pip install "gradio[mcp]"')
    save(make_diagnosis(), tmp_path / "made" / "run.errata")
    demo = build_app(examples=tmp_path)
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings(WebRules(mcp=True)))
    yield f"{address}gradio_api/mcp/"
    demo.close()


def ask(address: str, method: str, headers: Mapping[str, str] = MappingProxyType({}), **said: Any) -> Any:
    """What the server answers to one JSON-RPC call; its status where it refuses."""
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": said}
    answer = httpx.post(address, json=call, headers={**HEADERS, **headers}, timeout=120)
    if answer.status_code != 200:
        return answer.status_code
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
    return json.loads(lines[-1])["result"]


def valid_schema(schema: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="needs requirements-test.txt")
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_tools_are_the_endpoints_and_answer_under_the_same_rules(address: str) -> None:
    tools = {tool["name"]: tool for tool in ask(address, "tools/list")["tools"]}
    assert sorted(tools) == [
        "ask", "audit", "clusters", "compare", "compose", "diagnose", "predict", "probe", "report", "select",
    ]  # fmt: skip
    assert "uploaded files" in tools["diagnose"]["description"]
    found = ask(address, "tools/call", name="clusters", arguments={"run": "example-made"})
    assert ast.literal_eval(found["content"][0]["text"])["clusters"]
    inside = {"run": "example-made", "polygon": [[-9, -9], [9, -9], [9, 9], [-9, 9]]}
    assert not ask(address, "tools/call", name="select", arguments=inside).get("isError")
    wrong = ask(address, "tools/call", name="clusters", arguments={"run": "nobody's"})
    assert wrong["isError"]
    for file in ("http://127.0.0.1:9/table.csv", "http://127.0.0.1:9/gradio_api/file=/etc/passwd", "/etc/passwd"):
        said = ask(address, "tools/call", name="predict", arguments={"run": "example-made", "table": file})
        assert said["isError"]
        assert "required" not in str(said)
    assert ask(address, "tools/list", {"Host": "evil.example"}) == 421
    assert ask(address, "tools/list", {"Origin": "https://evil.example"}) == 403
    root = address.removesuffix("mcp/")
    assert [httpx.get(f"{root}{path}").status_code for path in ("mcp/schema", "mcp/sse")] == [404, 404]


def test_each_tool_describes_its_arguments_by_a_valid_schema(address: str) -> None:
    for tool in ask(address, "tools/list")["tools"]:
        valid_schema(tool["inputSchema"])


def test_each_endpoint_describes_arguments_and_answers_by_valid_schemas(tmp_path: Path) -> None:
    endpoints = build_app(examples=tmp_path).get_api_info()["named_endpoints"]
    taken = [part for endpoint in endpoints.values() for part in endpoint["parameters"]]
    given = [part for endpoint in endpoints.values() for part in endpoint["returns"]]
    assert len(taken) > len(given) >= 10
    for part in (*taken, *given):
        valid_schema(part["type"])
    options = {part["parameter_name"]: part["type"] for part in taken if part.get("parameter_default") == {}}
    assert options == {"options": {"type": "object"}, "settings": {"type": "object"}}


def test_without_being_asked_for_there_are_no_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_MCP_SERVER", "True")
    demo = build_app(examples=tmp_path)
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
    assert ask(f"{address}gradio_api/mcp/", "tools/list") == 404
    demo.close()


def test_tools_are_for_one_machine_and_need_gradio_s_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="only for programs on this machine"):
        require_mcp(alone=False)
    monkeypatch.setattr(mcp, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r'pip install "gradio\[mcp\]"'):
        require_mcp(alone=True)
    monkeypatch.setattr(mcp, "find_spec", lambda name: name)
    require_mcp(alone=True)


def test_files_inside_a_call_lie_in_the_server_s_own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr("gradio.mcp.DEFAULT_TEMP_DIR", "elsewhere")
    keep_files_here()
    assert str(tmp_path) == gradio.mcp.DEFAULT_TEMP_DIR
