"""Do as an assistant does with the page's MCP tools, by the official client, and write down what was said:

python -m scripts.assistant     starts a page of its own and writes docs/assistant.md
"""

from __future__ import annotations

import asyncio
import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from mcp import ClientSession  # pyright: ignore[reportMissingImports]
from mcp.client.streamable_http import streamable_http_client  # pyright: ignore[reportMissingImports]

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "assets/examples/clothing"
TARGET = ROOT / "docs/assistant.md"
TIMEOUT = timedelta(seconds=60)
"""After which assistants' programs give up a call."""
MAX_SAID = 1000
"""Letters of an answer that the document shows."""
PROPOSED = (
    "far away", "in the dark", "a bird in falling snow", "on a beach", "in a kitchen", "with a person",
    "on a red background", "next to a tree", "under a blue sky", "on grass",
)  # fmt: skip
"""What stands in for a proposer says of the scenes: the first three are planted (assets/examples/scenes/truth.json)."""
INTRODUCTION = """# An assistant reads a run

Written by `python -m scripts.assistant`: a scripted client of the tools of
[`serve --mcp`](programs.md#as-tools-of-an-mcp-server) lists them, brings the table and the images of a shipped example,
waits, reads the findings, looks at samples, and asks. Then it proposes ten phrases for the errors of the shipped
scenes, of which three are planted there. Long answers are cut at “…”; addresses and ids that are new each time are
replaced.

The server says first:

> {instructions}
"""


@dataclass
class Visit:
    """A client of the tools, and what it was told."""

    session: ClientSession
    said: list[tuple[str, Mapping[str, Any], str]] = field(default_factory=list)
    """(tool, arguments, answer) of each call."""

    async def call(self, tool: str, **arguments: Any) -> Any:
        """Call a tool; wait while it answers with a job.

        Raises:
            RuntimeError: the tool refuses.
        """
        answer = await self.session.call_tool(tool, arguments, read_timeout_seconds=TIMEOUT)
        text = "\n".join(part.text for part in answer.content if part.type == "text")
        self.said.append((tool, arguments, text))
        if answer.isError:
            raise RuntimeError(text)
        document = json.loads(text)
        if "job" in document:
            return await self.call("wait", job=document["job"])
        return document


@dataclass(frozen=True)
class Heard:
    """A whole conversation."""

    instructions: str
    tools: Mapping[str, str]
    """Descriptions by name."""
    said: list[tuple[str, Mapping[str, Any], str]]


def converse(page: str, table: str, images: Path, question: str, proposed_for: str = "") -> Heard:
    """Bring a table and read on, as the descriptions say.

    Args:
        page: address of the page.
        table: the text of a table.
        images: an archive, which is uploaded as the description of `diagnose` says.
        question: a text for `ask`.
        proposed_for: id of a run for which `PROPOSED` is proposed; "" for none.
    """

    async def talk() -> Heard:
        async with (
            streamable_http_client(f"{page}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            greeting = await session.initialize()
            tools = {tool.name: tool.description or "" for tool in (await session.list_tools()).tools}
            visit = Visit(session)
            await visit.call("runs")
            with images.open("rb") as archive:
                uploaded = httpx.post(f"{page}/gradio_api/upload", files={"files": archive}, timeout=60).json()
            run = (await visit.call("diagnose", table=table, images=uploaded[0], options={"title": "my model"}))["run"]
            found = (await visit.call("findings", run=run))["findings"]
            if found:
                number = next((entry["number"] for entry in found if entry["kind"] == "group"), 1)
                await visit.call("samples", run=run, finding=number, n=2)
                await visit.call(
                    "samples", run=run, finding=number, n=2, similar=found[number - 1]["kind"] == "cluster"
                )
            await visit.call("ask", run=run, texts=[question])
            if proposed_for:
                await visit.call("propose", run=proposed_for)
                await visit.call("propose", run=proposed_for, texts=[*PROPOSED])
            return Heard(greeting.instructions or "", tools, visit.said)

    return asyncio.run(talk())


def written(heard: Heard, page: str) -> str:
    """Return the conversation as Markdown, without what differs from time to time."""
    lines = [INTRODUCTION.format(instructions=heard.instructions), "## The tools\n"]
    lines += [f"- `{name}`: {text}" for name, text in heard.tools.items()]
    lines.append("\n## The conversation\n")
    named = dict[str, str]()
    for tool, arguments, answer in heard.said:
        document = json.loads(answer)
        for key in ("run", "job"):
            if isinstance(document.get(key), str):
                named[document[key]] = key.upper()
        if tool == "wait" and "job" in document:  # the same for as long as it works
            continue
        shown = {key: _short(value) for key, value in arguments.items()}
        lines.append(f"**`{tool}`** `{json.dumps(shown, ensure_ascii=False)}`\n")
        if "proposals" in document:
            lines.append(f"{document['sentence']} Of each the field `sentence`:\n")
            lines += [f"- {proposal['sentence']}" for proposal in document["proposals"]]
            lines.append("")
            continue
        lines.append(f"```json\n{textwrap.shorten(answer, MAX_SAID, placeholder=' …')}\n```\n")
    text = "\n".join(lines).replace(page, "http://127.0.0.1:7860")
    for value, name in named.items():
        text = text.replace(value, name)
    text = re.sub(r"run-image/[\w-]+/", "run-image/LINK/", text)
    return re.sub(r"for \d+ seconds", "for 25 seconds", text).rstrip() + "\n"


def _short(value: Any) -> Any:
    """Return an argument as the document shows it: of a table the start, of an upload its name."""
    if isinstance(value, str) and "\n" in value:
        return f"{value[:100]} …"
    if isinstance(value, str) and value.startswith("/"):
        return f"/…/{Path(value).name}"
    return value


def main() -> None:
    """Start a page, converse, and write the document."""
    from webapp.app import build_app
    from webapp.server.process import begin
    from webapp.server.rules import WebRules
    from webapp.server.settings import launch_settings

    begin(at_home=True, keep="none")
    page = build_app(at_home=True)
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_settings(WebRules(mcp=True)))
    table = (EXAMPLE / "table.csv").read_text("utf-8")
    address = address.rstrip("/")
    heard = converse(address, table, EXAMPLE / "images.zip", "a long skirt", "example-scenes")
    TARGET.write_text(written(heard, address), "utf-8")
    page.close()


if __name__ == "__main__":
    main()
