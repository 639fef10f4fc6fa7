"""The endpoints as tools of an MCP server, asked by the client of the package mcp."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from PIL import Image

from core.errors import InvalidInput, MissingDependency
from core.store import load
from core.systems.proposer.sheet import make_sheet
from core.systems.proposer.tested import try_proposals
from core.systems.proposer.wording import proposal_sentence
from research.evidence.leaves_page import write_data
from tests.webapp.compare.test_new_data import files
from webapp.api import READ
from webapp.app import build_app
from webapp.server import mcp
from webapp.server.mcp import require_mcp, short_json
from webapp.server.rules import WebRules
from webapp.server.settings import launch_settings
from webapp.state.runs import RUNS

REPOSITORY = Path(__file__).resolve().parents[3]
RUN = "example-clothing"
MAX_ANSWER = 20_000
"""Letters of an answer, some 5,000 of an assistant's tokens."""
NO_RUN = "The server no longer has this run. Run the diagnosis again, or open an example."
TOOLS = (
    "diagnose",
    "runs",
    "findings",
    "samples",
    "ask",
    "audit",
    "predict",
    "probe",
    "compare",
    "compose",
    "propose",
    "wait",
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page with two shipped runs."""
    pytest.importorskip("mcp", reason="needs requirements-test.txt")
    examples = tmp_path_factory.mktemp("examples")
    for name in ("clothing", "definitions"):
        (examples / name).mkdir()
        for path in (REPOSITORY / f"assets/examples/{name}").iterdir():
            shutil.copy(path, examples / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        demo = build_app(examples=examples)
        _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings(WebRules(mcp=True)))
        yield address.rstrip("/")
        demo.close()


def visit(page: str, talk: Callable[[Any], Awaitable[Any]]) -> Any:
    """What `talk` returns of a session of the client."""
    from mcp import ClientSession  # pyright: ignore[reportMissingImports]
    from mcp.client.streamable_http import streamable_http_client  # pyright: ignore[reportMissingImports]

    async def talked() -> Any:
        async with (
            streamable_http_client(f"{page}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await talk(session)

    return asyncio.run(talked())


def call(page: str, *calls: tuple[str, dict[str, Any]]) -> list[tuple[bool, str]]:
    """(whether it is an error, text) of each call, all in one session."""

    async def talk(session: Any) -> list[tuple[bool, str]]:
        answers = []
        for tool, arguments in calls:
            answer = await session.call_tool(tool, arguments)
            answers.append((answer.isError, answer.content[0].text))
        return answers

    return visit(page, talk)


def told(page: str, tool: str, **arguments: Any) -> Any:
    """The answer of a tool, however long it takes."""
    ((wrong, text),) = call(page, (tool, arguments))
    assert not wrong, text
    assert len(text) < MAX_ANSWER
    document = json.loads(text)
    if "job" in document:
        return told(page, "wait", job=document["job"])
    return document


def refused(page: str, tool: str, arguments: dict[str, Any]) -> str:
    ((wrong, text),) = call(page, (tool, arguments))
    assert wrong, text
    return text


def test_each_tool_describes_itself_and_its_arguments_by_a_valid_schema(page: str) -> None:
    async def talk(session: Any) -> Any:
        return (await session.list_tools()).tools

    tools = {tool.name: tool for tool in visit(page, talk)}
    assert tuple(tools) == TOOLS
    for tool in tools.values():
        jsonschema.Draft202012Validator.check_schema(tool.inputSchema)
        assert tool.description.endswith(".")
        for name, schema in tool.inputSchema["properties"].items():
            assert len(schema["description"]) > 15, (tool.name, name)
            assert schema.get("type") or schema.get("oneOf"), (tool.name, name)


@pytest.mark.slow
def test_each_tool_answers_the_official_client_in_short_json(page: str, tmp_path: Path) -> None:
    (table, vectors), (new, new_vectors) = files(tmp_path, 240, 5), files(tmp_path, 240, 6)
    second = (REPOSITORY / "assets/examples/clothing/second.csv").read_text("utf-8")
    run = told(
        page,
        "diagnose",
        table=Path(table).read_text("utf-8"),
        embeddings=base64.b64encode(Path(vectors).read_bytes()).decode(),
        options={"hold_back": 0.25},
    )["run"]
    data_url = "data:application/octet-stream;base64," + base64.b64encode(Path(new_vectors).read_bytes()).decode()
    said = {
        "diagnose": {"run": run},
        "runs": told(page, "runs"),
        "findings": told(page, "findings", run=RUN),
        "samples": told(page, "samples", run=RUN, finding=1, n=24),
        "ask": told(page, "ask", run=RUN, texts=["a skirt", "trousers"]),
        "audit": told(page, "audit", run=RUN, family="light"),
        "predict": told(page, "predict", run=run, table=Path(new).read_text("utf-8"), embeddings=data_url),
        "probe": told(page, "probe", run=RUN, name="zero-shot"),
        "compare": told(page, "compare", run=RUN, table=second),
        "compose": told(page, "compose", name="rendered:60"),
        "propose": told(page, "propose", run=RUN),
    }
    assert {*said, "wait"} == set(TOOLS)  # `wait`: below
    assert {run, RUN} <= {entry["run"] for entry in said["runs"]["runs"]} | {run}
    assert said["findings"]["findings"][0]["confirmed"] is True
    assert len(said["samples"]["samples"]) == 24
    assert said["ask"]["difference"]["sentence"]
    assert said["audit"]["result"][0]["phrase"]
    assert said["predict"]["n_fresh"] == 240
    assert said["probe"]["name"] == "zero-shot"
    assert "fixed 54 and broke 44 of 1,082" in said["compare"]["sentence"]
    assert said["compose"]["results"][0]["n"] == 60
    beside = told(page, "compare", run=RUN, a="model", b="zero-shot")  # the probe above is kept for later calls
    assert beside["b"] == "zero-shot"


def test_an_assistant_proposes_words_before_it_reads_the_results_and_learns_which_hold(page: str) -> None:
    READ.clear()
    run = "example-definitions"
    shown = told(page, "propose", run=run)
    assert len(shown["wrong"]) == len(shown["right"]) == 12
    assert {*shown["wrong"][0]} == {"id", "text"}  # nothing that the run found
    told(page, "runs")
    said = told(page, "propose", run=run, texts=["about music", "about the sea"])
    first, second = said["proposals"]
    assert [p["asked"] for p in (first, second)] == [2, 2]
    assert first["n_tested"] == shown["left_to_test"]
    assert first["p"] == pytest.approx(min(1, 2 * first["p_alone"]), rel=1e-3)
    assert first["sentence"].startswith('"about music": wrong on')
    assert said["stored"] is False  # examples are shared
    assert "tested on" in said["sentence"]


@pytest.mark.parametrize("tool", ["findings", "samples", "ask", "audit", "compare"])
def test_words_proposed_after_another_tool_told_of_the_run_are_not_tested(page: str, tool: str) -> None:
    READ.clear()
    texts = {"ask": {"texts": ["a skirt"]}, "audit": {"family": "light"}}.get(tool, {})
    if tool == "compare":
        texts = {"table": (REPOSITORY / "assets/examples/clothing/second.csv").read_text("utf-8")}
    told(page, tool, run=RUN, **texts)
    (skirt,) = told(page, "propose", run=RUN, texts=["a long skirt"])["proposals"]
    assert (skirt["verdict"], skirt["p"]) == ("not tested", None)
    assert "proposed after the results were read; check it on new data" in skirt["sentence"]


def test_addresses_in_answers_open_images_and_the_page(page: str) -> None:
    found = told(page, "findings", run=RUN)
    shown = [found["findings"][0]["worst"][0], told(page, "samples", run=RUN)["samples"][0]["image"]]
    shown.append(told(page, "ask", run=RUN, texts=["a skirt"])["answers"][0]["samples"][0]["image"])
    for address in shown:
        answer = httpx.get(address)
        assert answer.status_code == 200
        assert Image.open(io.BytesIO(answer.content)).size > (20, 20)
    opened = httpx.get(found["page"])
    assert opened.headers["content-type"].startswith("text/html")
    texts = told(page, "samples", run="example-definitions", n=2)["samples"]
    assert all(entry["text"] and "image" not in entry for entry in texts)


def test_samples_are_read_on_from_where_the_last_answer_ended(page: str) -> None:
    whole = told(page, "samples", run=RUN, finding=1, n=6)
    parts = [told(page, "samples", run=RUN, finding=1, first=first, n=3) for first in (1, 4)]
    assert [entry["id"] for part in parts for entry in part["samples"]] == [entry["id"] for entry in whole["samples"]]
    assert whole["total"] == told(page, "findings", run=RUN)["findings"][0]["size"]
    similar = told(page, "samples", run=RUN, finding=1, similar=True)
    assert not {entry["id"] for entry in similar["samples"]} & {entry["id"] for entry in whole["samples"]}
    assert told(page, "samples", run=RUN, finding=0)["total"] == 1082


def test_long_work_answers_with_a_job_whose_result_is_fetched_once(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp, "WAIT_S", 0.0)
    ((_, text),) = call(page, ("ask", {"run": RUN, "texts": ["a skirt"]}))
    job = json.loads(text)
    assert "Call `wait` with this job." in job["state"]
    monkeypatch.undo()
    assert told(page, "wait", job=job["job"])["answers"]
    assert "its answer was fetched already" in refused(page, "wait", {"job": job["job"]})


HOSTILE: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("nothing", {}, "The tools are diagnose, runs,"),
    ("clusters", {"run": RUN}, "The tools are diagnose, runs,"),
    ("findings", {}, "findings needs `run`: got no arguments."),
    ("findings", {"run": None}, "findings needs `run`"),
    ("findings", {"ruin": "x"}, "findings takes run: got 'ruin'."),
    ("findings", {"run": 3}, "`run` must be of type string: got 3."),
    ("findings", {"run": ["x"] * 9999}, "`run` must be of type string: got ['x', 'x'"),
    ("findings", {"run": "nobody's"}, NO_RUN),
    ("findings", {"run": "x" * 100_000}, NO_RUN),
    ("findings", {"run": "../../../etc/passwd"}, NO_RUN),
    ("findings", {"run": "\0<script>"}, NO_RUN),
    ("samples", {"run": RUN, "finding": 99}, "finding must be a whole number from 0 to 10: got '99'."),
    ("samples", {"run": RUN, "finding": 2, "similar": True}, "Only groups and hints have similar samples"),
    ("samples", {"run": RUN, "n": 25}, "n must be a whole number from 1 to 24: got '25'."),
    ("samples", {"run": RUN, "n": True}, "`n` must be of type integer: got True."),
    ("samples", {"run": RUN, "first": 10**30}, "first must be a whole number from 1 to 1,082"),
    ("ask", {"run": RUN, "texts": "dark"}, "`texts` must be of type array: got 'dark'."),
    ("ask", {"run": RUN, "texts": [3]}, "Each value of `texts` must be of type string: got 3."),
    ("ask", {"run": RUN, "texts": []}, "texts must be a list of 1 to 8 questions"),
    ("ask", {"run": RUN, "texts": ["x" * 100_000]}, "The question has 100,000 characters; 300 are allowed."),
    ("audit", {"run": RUN, "family": "nobody's"}, "Choose one of background, place,"),
    ("compare", {"run": "example-definitions"}, "Give a new model's answers in `table`, or call `probe`."),
    ("compare", {"run": RUN, "table": "a,b\n1,2\n"}, "No loss found among the columns 'a', 'b'."),
    ("compose", {"name": "nobody's"}, "Choose one of rendered, rendered-single, cutouts."),
    ("probe", {"run": RUN, "name": "x" * 500}, "Unknown probe"),
    ("probe", {"run": RUN, "name": "zero-shot", "settings": {"a": 1}}, "Zero-shot has no setting 'a'."),
    ("diagnose", {"table": ""}, "No table."),
    ("diagnose", {"table": {"path": "/etc/passwd"}}, "`table` must be of type string: got {'path': '/etc/passwd'}."),
    ("diagnose", {"table": "/etc/passwd"}, "`table` must be the text of a table, base64, or the path of an upload"),
    ("diagnose", {"table": "http://evil.example/t.csv"}, "`table` must be the text of a table, base64, or the path"),
    ("diagnose", {"table": "http://127.0.0.1/gradio_api/file=/etc/passwd"}, "`table` must be the text of a table"),
    ("diagnose", {"table": "a,loss\n1,2\n", "images": "UEsDBAAA"}, "'images.zip' is not a folder, a zip, or a tar"),
    ("diagnose", {"table": "a,loss\n1,2\n", "options": {"path": "/etc/passwd"}}, "is not an existing upload"),
    ("diagnose", {"table": "a,loss\n1,2\n", "options": {"nope": 1}}, "got nope."),
    ("predict", {"run": RUN, "table": "file,loss\na.png,1\n"}, "At least 20 rows are needed"),
    ("diagnose", {"table": "x" * 2_000_000}, "A call can hold 1 MiB. Send a larger file with `curl"),
    ("propose", {"run": RUN, "texts": "dark"}, "`texts` must be of type array: got 'dark'."),
    ("propose", {"run": RUN, "texts": [3]}, "Each value of `texts` must be of type string: got 3."),
    ("propose", {"run": RUN, "texts": []}, "Propose 1 to 20 texts in one call: got 0."),
    ("propose", {"run": RUN, "texts": ["x" * 400]}, "The question has 400 characters; 300 are allowed."),
    ("propose", {"run": RUN, "finding": 99}, "finding must be a whole number from 0 to "),
    ("wait", {"job": "../x"}, "No job is called '../x'"),
)  # fmt: skip


def test_hostile_arguments_get_one_message_and_the_session_goes_on(page: str) -> None:
    answers = call(page, *((tool, arguments) for tool, arguments, _ in HOSTILE), ("findings", {"run": RUN}))
    for (tool, arguments, message), (wrong, text) in zip(HOSTILE, answers):
        assert wrong, (tool, str(arguments)[:80])
        assert message in text
        assert len(text) < 500
        assert not re.search(r"Traceback|File \"|Error\b", text)
    assert not answers[-1][0]
    assert not list(Path(os.environ["GRADIO_TEMP_DIR"]).glob("tmp*"))  # files of calls are deleted with them


def test_an_upload_is_given_by_its_path_or_address(page: str, tmp_path: Path) -> None:
    table, archive = write_data(tmp_path, 8)
    with archive.open("rb") as file:
        uploaded = httpx.post(f"{page}/gradio_api/upload", files={"files": file}).json()[0]
    for images in (uploaded, f"{page}/gradio_api/file={uploaded}"):
        few = refused(page, "diagnose", {"table": table.read_text("utf-8"), "images": images})
        assert "20 rows" in few or "8" in few  # it was read, and has too few rows


def test_a_deleted_run_is_gone_for_tools_and_its_images_too(page: str, tmp_path: Path) -> None:
    table, vectors = files(tmp_path, 60, 7)
    given = base64.b64encode(Path(vectors).read_bytes()).decode()
    run = told(page, "diagnose", table=Path(table).read_text("utf-8"), embeddings=given, options={"title": "mine"})[
        "run"
    ]
    assert {"run": run, "title": "mine"}.items() <= told(page, "runs")["runs"][0].items()
    link = told(page, "findings", run=run)["page"].partition("=")[2]
    assert link != run
    assert "read-only" in refused(page, "probe", {"run": link, "name": "zero-shot"})
    RUNS.remove(run)
    assert refused(page, "findings", {"run": run}) == NO_RUN
    assert refused(page, "samples", {"run": link}) == NO_RUN


def test_other_sites_reach_no_tool_and_only_one_way_leads_to_them(page: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accepted = {"Accept": "application/json, text/event-stream"}
    tools = f"{page}/gradio_api/mcp/"
    assert httpx.post(tools, json=body, headers=accepted).status_code == 200
    assert httpx.post(tools, json=body, headers={**accepted, "Host": "evil.example"}).status_code == 421
    assert httpx.post(tools, json=body, headers={**accepted, "Origin": "https://evil.example"}).status_code == 403
    assert [httpx.get(f"{tools}{path}").status_code for path in ("schema", "sse", "messages/")] == [404, 404, 404]


def test_each_endpoint_describes_arguments_and_answers_by_valid_schemas(tmp_path: Path) -> None:
    endpoints = build_app(examples=tmp_path).get_api_info()["named_endpoints"]
    taken = [part for endpoint in endpoints.values() for part in endpoint["parameters"]]
    given = [part for endpoint in endpoints.values() for part in endpoint["returns"]]
    assert len(taken) > len(given) >= 10
    for part in (*taken, *given):
        jsonschema.Draft202012Validator.check_schema(part["type"])
    options = {part["parameter_name"]: part["type"] for part in taken if part.get("parameter_default") == {}}
    assert options == {"options": {"type": "object"}, "settings": {"type": "object"}}


def test_without_being_asked_for_there_are_no_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_MCP_SERVER", "True")
    demo = build_app(examples=tmp_path)
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
    assert httpx.post(f"{address}gradio_api/mcp/", json={}).status_code == 404
    demo.close()


def test_tools_are_for_one_machine_and_need_gradio_s_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="only for programs on this machine"):
        require_mcp(alone=False)
    monkeypatch.setattr(mcp, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r'pip install "gradio\[mcp\]"'):
        require_mcp(alone=True)
    monkeypatch.setattr(mcp, "find_spec", lambda name: name)
    require_mcp(alone=True)


def test_what_is_left_out_of_a_long_list_is_counted() -> None:
    said = json.loads(
        short_json({"ids": list(range(50)), "p": 0.123456789, "note": "run-image/../etc"}, "http://here/")
    )
    assert said == {"ids": list(range(40)), "p": 0.12346, "note": "run-image/../etc", "left_out": {"ids": 10}}


@pytest.mark.slow
def test_an_assistant_brings_a_table_and_reads_on_by_the_descriptions(page: str, tmp_path: Path) -> None:
    from scripts.assistant import converse, written

    table, archive = write_data(tmp_path)
    heard = converse(page, table.read_text("utf-8"), archive, "a dark picture")
    done = [tool for tool, *_ in heard.said if tool != "wait"]
    assert done[:3] == ["runs", "diagnose", "findings"]
    assert done[-1] == "ask"
    assert json.loads(heard.said[-1][2])["answers"][0]["samples"][0]["image"].startswith(page)
    assert page not in written(heard, page)


def test_the_conversation_in_the_documentation_is_that_of_today_s_tools(page: str) -> None:
    async def talk(session: Any) -> Any:
        return (await session.list_tools()).tools

    document = (REPOSITORY / "docs/assistant.md").read_text("utf-8")
    tools = {tool.name: tool for tool in visit(page, talk)}
    assert re.findall(r"^- `(\w+)`: (.*)$", document, re.M) == [(t.name, t.description) for t in tools.values()]
    assert mcp.INSTRUCTIONS in document
    said = re.findall(r"^\*\*`(\w+)`\*\* `(.*)`$", document, re.M)
    assert {"runs", "diagnose", "wait", "findings", "samples", "ask", "propose"} == {tool for tool, _ in said}
    for tool, arguments in said:
        jsonschema.validate(json.loads(arguments), tools[tool].inputSchema)


@pytest.mark.slow
def test_of_the_ten_phrases_in_the_documentation_the_three_planted_ones_hold() -> None:
    pytest.importorskip("mcp", reason="needs requirements-test.txt")
    from scripts.assistant import PROPOSED

    run = load(REPOSITORY / "assets/examples/scenes/run.errata")
    proposals = try_proposals(run, PROPOSED, make_sheet(run), source="an assistant").proposals
    assert [proposal.text for proposal in proposals if proposal.holds] == [*PROPOSED[:3]]
    document = (REPOSITORY / "docs/assistant.md").read_text("utf-8")
    for proposal in proposals:
        assert f"- {proposal_sentence(proposal)}\n" in document
