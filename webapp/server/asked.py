"""A request as the web rules see it, and their refusals."""

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
    """An HTTP status, and a message with the next step."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request before it reaches Gradio; `host` is the host in the visitor's browser."""

    method: str
    path: str
    """Decoded, without the root path."""
    headers: Headers
    host: str
    """From the browser, or forwarded by a configured proxy: "name" or "name:port"."""
    scheme: str
    address: str = ""
    """Address of the client."""

    @property
    def is_read(self) -> bool:
        """Whether it only reads."""
        return self.method in ("GET", "HEAD")


def read_request(scope: dict[str, Any], rules: WebRules) -> Asked:
    """Read the request of an ASGI scope of HTTP or a websocket."""
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    scheme = str(scope.get("scheme", "http"))
    if rules.behind_proxy:
        host = _first(headers, "x-forwarded-host") or host
        scheme = _first(headers, "x-forwarded-proto") or scheme
    return Asked(str(scope.get("method", "GET")), path_of(scope), headers, host, scheme, address_of(scope))


def path_of(scope: MutableMapping[str, Any]) -> str:
    """Return a request's path, decoded and without the root path, whether or not the proxy has removed that."""
    path = str(scope["path"])
    root = str(scope.get("root_path", "")).rstrip("/")
    if root.startswith("/") and f"{path}/".startswith(f"{root}/"):
        return path[len(root) :]
    return path


def address_of(scope: MutableMapping[str, Any]) -> str:
    """Return the client's address, or ""."""
    return str((scope.get("client") or ("",))[0])


def _first(headers: Headers, name: str) -> str:
    """Return the value of the outermost of several proxies."""
    return headers.get(name, "").partition(",")[0].strip()


def split_host(host: str) -> tuple[str, int | None] | None:
    """Parse a `Host` header into (lower-case name, port); None if invalid.

    Example:
        >>> split_host("Lab.example.org.:80"), split_host("[::1]:7860"), split_host("a@b")
        (('lab.example.org', 80), ('::1', 7860), None)
    """
    name = host.strip().lower()
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
    if not plain and not _is_address(name):
        return None
    if port:
        return name, int(port)
    return name, None


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name)) and "%" not in name
    except ValueError:
        return False
