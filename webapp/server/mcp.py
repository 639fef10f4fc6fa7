"""The public endpoints as tools of an MCP server. Gradio's own server is the base; each tool call becomes a call of its
endpoint, behind the same guard and in the same line as the page's work."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio.mcp
from anyio.to_thread import run_sync
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from httpx import HTTPStatusError
from starlette.responses import JSONResponse, Response
from starlette.types import Receive

from core.errors import InvalidInput, MissingDependency
from core.limits import byte_size
from webapp.markup.images import ROUTE
from webapp.server.arguments import MAX_BODY
from webapp.server.given import MAX_SHOWN, check_arguments, describe, write_file
from webapp.server.routes import UPLOAD

NOT_TOOLS = ("clusters", "report", "select")
"""Endpoints that answer with tens of kilobytes, or by coordinates of the map; `findings` and `samples` say the same."""
WAIT = "wait"
WAIT_S = 25.0
"""Seconds until a call answers with a job; assistants' programs often give up after 60."""
LOOK_S = 0.05
"""Seconds between two looks at a job."""
MAX_UNREAD = 64
"""Finished jobs whose answers wait to be fetched."""
MAX_LISTED = 40
"""Values of a list in an answer."""
MAX_DRAINED = 2**28
"""Bytes of a refused call that are read, because a client that is cut off does not see the refusal."""
FIRST_ID = re.compile(rb'\s*\{[^{}]*?"id"\s*:\s*(\d{1,15}|"[^"\\]{1,99}")')
LAST_ID = re.compile(rb'"id"\s*:\s*(\d{1,15}|"[^"\\]{1,99}")[^{}]*\}\s*$')
"""The id of a call at its start or end, outside its arguments."""
TOO_LARGE = (
    f"A call can hold {byte_size(MAX_BODY)}. Send a larger file with `curl -F files=@FILE` to {UPLOAD} of this server, "
    "and give the path that it returns."
)
AS_FILE = (
    f"Give the text itself, or base64, up to {byte_size(MAX_BODY)} in a call; or the path that "
    f"`curl -F files=@FILE` to {UPLOAD} of this server returns."
)
"""Ends the description of a file argument."""
HIDDEN = "has not enabled verbose error reporting"
"""In Gradio's message for an exception that is not shown."""
WAIT_PARAMETER: Mapping[str, Any] = {
    "parameter_name": "job", "parameter_has_default": False, "component": "Textbox", "type": {"type": "string"},
}  # fmt: skip
ADDRESS = re.compile(rf"{ROUTE}/[^/]+/\d+/\w+\?v=\w+|\?run=[\w-]+")
INSTRUCTIONS = (
    "Errata finds where a model of images, clips or texts fails, and with what confidence. Begin with `runs`, or bring "
    "a table with `diagnose`. Then read `findings`, look at `samples`, and check a suspicion with `ask`. Long work "
    "answers with a job: call `wait` with it. To name what wrong samples share, call `propose` before `findings`. Tell "
    "the user what is confirmed and what is only a hint, with the counts of the sentences. Addresses of images and "
    "pages open on this machine."
)
"""What a client tells the assistant first."""

_log = logging.getLogger(__name__)


def require_mcp(*, alone: bool) -> None:
    """Check that tools can be offered.

    Args:
        alone: whether only programs of this machine reach the server. All tool calls share one visit, so several people
            could not be separated.

    Raises:
        InvalidInput: others reach the server.
        MissingDependency: Gradio's extra is missing.
    """
    if not alone:
        raise InvalidInput(
            "--mcp is only for programs on this machine, because all tool calls share one visit. "
            "Remove --host, --allow-host, --behind-proxy, and --auth, or start a second server with --mcp."
        )
    if find_spec("mcp") is None:
        raise MissingDependency('--mcp needs the package mcp. Run `pip install "gradio[mcp]"`.')


def offer_tools() -> None:
    """Let `launch(mcp_server=True)` make our server of tools instead of Gradio's."""
    gradio.mcp.GradioMCPServer = Tools


@dataclass(frozen=True, slots=True, eq=False)
class Working:
    """A tool's work that goes on."""

    tool: str
    future: Future[Any]
    since: float = field(default_factory=time.monotonic)


class Tools(gradio.mcp.GradioMCPServer):
    """Gradio's MCP server with schemas that clients accept, short JSON as answers, tables as text, long work as jobs,
    and one message for a wrong argument."""

    def __init__(self, blocks: Any) -> None:
        super().__init__(blocks)
        self._jobs: dict[str, Working] = {}

    def get_tool_to_endpoint(self) -> dict[str, str]:
        """Return the endpoints by the names of their tools."""
        named = super().get_tool_to_endpoint()
        return {tool: endpoint for tool, endpoint in named.items() if tool not in NOT_TOOLS}

    def warn_about_state_inputs(self) -> None:
        """Warn of nothing: the loopback client is one session, so states are kept between calls."""

    def create_mcp_server(self) -> Any:
        """Return the server with our list of tools and our way to call them."""
        server = super().create_mcp_server()
        server.instructions = INSTRUCTIONS

        @server.list_tools()  # pyright: ignore[reportUntypedFunctionDecorator]
        async def list_tools() -> list[Any]:
            return [
                self.types.Tool(name=tool, description=self._function(tool)[0], inputSchema=self.schema(tool))
                for tool in (*self.tool_to_endpoint, WAIT)
            ]

        @server.call_tool(validate_input=False)  # pyright: ignore[reportUntypedFunctionDecorator]
        async def call_tool(name: str, arguments: dict[str, Any]) -> Any:
            document = await self.call(name, arguments)
            request: Any = server.request_context.request
            url = request.url
            text = short_json(document, f"{url.scheme}://{url.netloc}/")
            return [self.types.TextContent(type="text", text=text)]

        return server

    def schema(self, tool: str) -> dict[str, Any]:
        """Return the JSON schema of a tool's arguments."""
        described = self._function(tool)[1]
        properties = dict[str, Any]()
        required = list[str]()
        for part in self._parameters(tool):
            name = part["parameter_name"]
            properties[name] = {**part["type"], "description": described.get(name, "")}
            if part["component"] == "File":
                properties[name] = {"type": "string", "description": f"{described.get(name, '')} {AS_FILE}".strip()}
            if not part["parameter_has_default"]:
                required.append(name)
            elif part["parameter_default"] not in (None, "", {}):
                properties[name]["default"] = part["parameter_default"]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call a tool; returns its answer, or after `WAIT_S` a job.

        Raises:
            InvalidInput: an unknown tool, a wrong argument, or what the endpoint refuses.
        """
        if tool not in (*self.tool_to_endpoint, WAIT):
            names = ", ".join((*self.tool_to_endpoint, WAIT))
            raise InvalidInput(f"The tools are {names}: got {tool[:MAX_SHOWN]!r}. Use one of them.")
        arguments = {name: value for name, value in arguments.items() if value is not None}
        check_arguments(tool, self.schema(tool), arguments)
        if tool == WAIT:
            return await self._answer(arguments["job"])
        folder = Path(tempfile.mkdtemp(dir=os.environ.get("GRADIO_TEMP_DIR")))
        try:
            future = await run_sync(self._submit, tool, arguments, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        future.add_done_callback(lambda _: shutil.rmtree(folder, ignore_errors=True))
        unread = [job for job, work in self._jobs.items() if work.future.done()]
        for job in unread[: max(0, len(unread) - MAX_UNREAD)]:
            del self._jobs[job]
        job = secrets.token_urlsafe(8)
        self._jobs[job] = Working(tool, future)
        return await self._answer(job)

    def _submit(self, tool: str, arguments: Mapping[str, Any], folder: Path) -> Future[Any]:
        """Call the tool's endpoint, as any program does; files of the call are written into the folder."""
        values = list[Any]()
        uploads = f"{str(self.local_url).rstrip('/')}{UPLOAD}"
        for part in self._parameters(tool):
            name = part["parameter_name"]
            value = arguments.get(name, part.get("parameter_default"))
            if part["component"] == "File":
                value = handle_file(write_file(name, value, folder, uploads)) if value else None
            values.append(value)
        block_fn = self.get_block_fn_from_endpoint_name(self.tool_to_endpoint[tool])
        assert block_fn is not None
        values = self.insert_empty_state(block_fn.inputs, values)
        return self._get_or_create_client().submit(*values, api_name=self.tool_to_endpoint[tool]).future

    async def _answer(self, job: str) -> dict[str, Any]:
        """Return the answer of a job, once; after `WAIT_S` that it still works."""
        work = self._jobs.get(job)
        if work is None:
            raise InvalidInput(
                f"No job is called {job[:MAX_SHOWN]!r}, or its answer was fetched already. Look for its run in `runs`, "
                "or call the tool again."
            )
        until = time.monotonic() + WAIT_S
        while not work.future.done() and time.monotonic() < until:
            await asyncio.sleep(LOOK_S)
        if not work.future.done():
            seconds = round(time.monotonic() - work.since)
            return {"job": job, "state": f"{work.tool} has worked for {seconds} seconds. Call `wait` with this job."}
        self._jobs.pop(job, None)
        error = work.future.exception()
        if error is not None:
            raise InvalidInput(message_of(error))
        endpoint = self.tool_to_endpoint[work.tool]
        returned = self.api_info["named_endpoints"][endpoint]["returns"][0]
        document = work.future.result()
        if isinstance(document, tuple):  # a state comes before the answer
            document = document[-1]
        if isinstance(document, Mapping):
            return dict(document)
        if returned["component"] == "Api":
            return {"result": document}
        return {returned["label"]: document}

    def _function(self, tool: str) -> tuple[str, dict[str, str]]:
        """Return the description of a tool, and of its arguments, from its docstring."""
        if tool == WAIT:
            return describe(wait)
        block_fn = self.get_block_fn_from_endpoint_name(self.tool_to_endpoint[tool])
        assert block_fn is not None
        assert block_fn.fn is not None
        return describe(block_fn.fn)

    def _parameters(self, tool: str) -> Sequence[Mapping[str, Any]]:
        """Return Gradio's description of a tool's arguments, in the endpoint's order."""
        if tool == WAIT:
            return [WAIT_PARAMETER]
        return self.api_info["named_endpoints"][self.tool_to_endpoint[tool]]["parameters"]


def wait(job: str) -> None:
    """Wait for a job. Answers as the tool that began it does, once; or after 25 seconds, that it still works.

    Args:
        job: from that tool's answer.
    """


def message_of(error: BaseException) -> str:
    """Return the message of a failed call for the assistant; what is not meant for a user goes to the log."""
    if isinstance(error, HTTPStatusError):  # the guard's
        return str(error.response.json()["detail"])
    if isinstance(error, AppError) and HIDDEN not in str(error):
        return str(error)
    _log.error("a tool failed", exc_info=error)
    return "The tool failed, and the server's log says why. Call it with other arguments."


def short_json(document: Mapping[str, Any], page: str) -> str:
    """Return a document as short JSON: addresses whole, five digits, and of a long list the first values; what was left
    out is counted under "left_out".

    Args:
        page: address of the page, to which the document's are relative.
    """
    left_out = dict[str, int]()

    def short(value: Any, place: str) -> Any:
        if isinstance(value, Mapping):
            return {key: short(part, f"{place}.{key}".lstrip(".")) for key, part in value.items()}
        if isinstance(value, list | tuple):
            if len(value) > MAX_LISTED:
                left_out[place] = len(value) - MAX_LISTED
            return [short(part, f"{place}[{at}]") for at, part in enumerate(value[:MAX_LISTED])]
        if isinstance(value, float):
            return float(f"{value:.5g}")
        if isinstance(value, str) and ADDRESS.fullmatch(value):
            return f"{page}{value}"
        return value

    answer = short(document, "")
    if left_out:
        answer["left_out"] = left_out
    return json.dumps(answer, ensure_ascii=False)


async def refuse_call(body: bytes, receive: Receive) -> Response:
    """Answer a call that is too large as a tool does, because a client ends at any other answer."""
    n_bytes = len(body)
    end = body[-256:]
    more = True
    while more and n_bytes < MAX_DRAINED:
        message = await receive()
        part = message.get("body", b"")
        n_bytes += len(part)
        end = (end + part)[-256:]
        more = message.get("more_body", False)
    named = FIRST_ID.match(body[:256]) or LAST_ID.search(end)
    if named is None:
        return JSONResponse({"detail": TOO_LARGE}, 413)
    number = named[1].decode("utf-8", "replace").strip('"')
    if named[1].isdigit():
        number = int(number)
    result = {"content": [{"type": "text", "text": TOO_LARGE}], "isError": True}
    return JSONResponse({"jsonrpc": "2.0", "id": number, "result": result})
