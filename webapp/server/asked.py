"""One request as the rules of the web look at it, and what they answer where they refuse it."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from starlette.datastructures import Headers

from webapp.server.rules import WebRules

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status of HTTP, and one sentence with the next step."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a request before it reaches Gradio; `host` is where the visitor believes to be."""

    method: str
    path: str
    """Decoded, without the root path."""
    headers: Headers
    host: str
    """As the browser said it, or as the proxy forwards it if one was told of: "name" or "name:port"."""
    scheme: str
    address: str = ""
    """Where it comes from."""

    @property
    def is_read(self) -> bool:
        """Whether it only asks to see something."""
        return self.method in ("GET", "HEAD")


def read_request(scope: dict[str, Any], rules: WebRules) -> Asked:
    """The request of an ASGI scope of HTTP or a websocket."""
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    scheme = str(scope.get("scheme", "http"))
    if rules.behind_proxy:
        host = _first(headers, "x-forwarded-host") or host
        scheme = _first(headers, "x-forwarded-proto") or scheme
    return Asked(str(scope.get("method", "GET")), path_of(scope), headers, host, scheme, address_of(scope))


def path_of(scope: MutableMapping[str, Any]) -> str:
    """What a request asks for, decoded and without the root path, whether the proxy has taken that off or not."""
    path = str(scope["path"])
    root = str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] if root.startswith("/") and f"{path}/".startswith(f"{root}/") else path


def address_of(scope: MutableMapping[str, Any]) -> str:
    """Where a request comes from, or ""."""
    return str((scope.get("client") or ("",))[0])


def _first(headers: Headers, name: str) -> str:
    """What the outermost of several proxies said."""
    return headers.get(name, "").partition(",")[0].strip()


def split_host(said: str) -> tuple[str, int | None] | None:
    """(name in lower case, port) of what stands in `Host`; None where it is no such thing.

    Example:
        >>> split_host("Lab.example.org.:80"), split_host("[::1]:7860"), split_host("a@b")
        (('lab.example.org', 80), ('::1', 7860), None)
    """
    name = said.strip().lower()
    port = ""
    if name.startswith("["):
        name, bracket, port = name[1:].partition("]")
        if not bracket or (port and not port.startswith(":")) or not _is_address(name):
            return None
        port = port[1:]
    elif ":" in name:
        name, _, port = name.partition(":")
    name = name.removesuffix(".")
    if not name or (port and not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < 65_536)):
        return None
    plain = name.isascii() and all(c.isalnum() or c in "-._" for c in name)
    return (name, int(port) if port else None) if plain or _is_address(name) else None


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name)) and "%" not in name
    except ValueError:
        return False
