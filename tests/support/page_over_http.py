"""The page as a program sees it: its own events, called over HTTP by what they are wired to."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx


@dataclass
class HttpPage:
    """One visit of the page at an address; values of its fields are set by their `elem_id`."""

    address: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=300))
    session: str = field(default_factory=lambda: secrets.token_hex(6))
    values: dict[int, Any] = field(default_factory=dict)
    """What the visitor sees of each component that has changed."""

    @cached_property
    def config(self) -> dict[str, Any]:
        return self.client.get(f"{self.address}/config").json()

    def of(self, elem_id: str) -> int:
        """The component's number."""
        return next(c["id"] for c in self.config["components"] if c["props"].get("elem_id") == elem_id)

    def put(self, elem_id: str, name: str, content: bytes) -> str:
        """Upload a file into a field; returns its path on the server."""
        path = self.client.post(f"{self.address}/gradio_api/upload", files={"files": (name, content)}).json()[0]
        self.values[self.of(elem_id)] = {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        return path

    def get(self, path: str) -> httpx.Response:
        """The answer for a file."""
        return self.client.get(f"{self.address}/gradio_api/file={path}")

    def open(self, place: str) -> None:
        """Go to a place, which is then built."""
        tab = next(c["id"] for c in self.config["components"] if c["type"] == "tabitem" and c["props"]["id"] == place)
        self._build(tab, "select")

    def unfold(self, elem_id: str) -> None:
        """Open a fold, which is then built."""
        self._build(self.of(elem_id), "expand")

    def _build(self, component: int, event: str) -> None:
        """Call the first event of a component and, as a browser does, those of the states that it changes."""
        first = next(d for d in self.config["dependencies"] if [component, event] in d["targets"])
        self._call(first)
        for state in first["outputs"]:
            self._fire([d for d in self.config["dependencies"] if [state, "change"] in d["targets"]])

    def click(self, elem_id: str) -> None:
        """Press a button, and wait until all is over that begins with that."""
        self._fire([d for d in self.config["dependencies"] if [self.of(elem_id), "click"] in d["targets"]])

    def act(self, elem_id: str, **payload: Any) -> None:
        """Press a part of a pane that brings this payload."""
        events = [d for d in self.config["dependencies"] if [self.of(elem_id), "act"] in d["targets"]]
        self._fire(events, payload)

    def load(self) -> None:
        """Do what a browser does once the page is there."""
        self._fire([d for d in self.config["dependencies"] if d["targets"] and d["targets"][0][1] == "load"])

    def change(self, elem_id: str) -> None:
        """Say that a field has changed."""
        self._fire([d for d in self.config["dependencies"] if [self.of(elem_id), "change"] in d["targets"]])

    def _fire(self, events: list[dict[str, Any]], payload: dict[str, Any] | None = None) -> None:
        for event in events:
            well = self._call(event, payload) if event["backend_fn"] else True
            after = [d for d in self.config["dependencies"] if d["trigger_after"] == event["id"]]
            self._fire([d for d in after if well or not d["trigger_only_on_success"]])

    def _call(self, event: dict[str, Any], payload: dict[str, Any] | None = None) -> bool:
        shown = {c["id"]: c["props"].get("value") for c in self.config["components"]} | self.values
        states = {c["id"] for c in self.config["components"] if c["type"] == "state"}
        data = [None if i in states else shown[i] for i in event["inputs"]]
        asked = {"data": data, "fn_index": event["id"], "session_hash": self.session, "trigger_id": None}
        if payload:
            asked["event_data"] = payload
        said = self.client.post(f"{self.address}/gradio_api/queue/join", json=asked)
        said.raise_for_status()
        stream = f"{self.address}/gradio_api/queue/data?session_hash={self.session}"
        with self.client.stream("GET", stream) as lines:
            for line in lines.iter_lines():
                told = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if told.get("msg") == "process_completed":
                    if told["success"]:
                        built = told["output"].get("render_config") or {}
                        for part in ("components", "dependencies"):
                            self.config[part].extend(built.get(part, ()))
                        self._take(event["outputs"], told["output"]["data"])
                    return bool(told["success"])
        raise TimeoutError("the answer did not come")

    def _take(self, outputs: list[int], data: list[Any]) -> None:
        for component, value in zip(outputs, data):
            if isinstance(value, dict) and value.get("__type__") == "update":
                if "value" not in value:
                    continue
                value = value["value"]
            self.values[component] = value
