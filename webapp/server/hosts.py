"""Host names that the server answers to.

With DNS rebinding, another site's name can point here after its page was loaded, and its scripts could read this
server. A numeric host cannot be rebound."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

from webapp.server.asked import Asked, Refusal, split_host
from webapp.server.rules import WebRules

LOOPBACK = "localhost"


def unknown_host(asked: Asked, rules: WebRules) -> Refusal | None:
    """Return a refusal for a request under a foreign name."""
    hosts = asked.headers.getlist("host")
    if len(hosts) != 1:
        return Refusal(400, f"A request needs one Host header: got {len(hosts)}. Send exactly one.")
    for name in dict.fromkeys((hosts[0], asked.host)):
        parsed = split_host(name)
        if parsed is None:
            return Refusal(400, "Invalid Host header. Open the page by its address.")
        if not answers_to(parsed[0], rules):
            return Refusal(
                421,
                f"This server does not answer to the name {parsed[0][:100]}. "
                f"If it is yours, start it with --allow-host {parsed[0][:100]}.",
            )
    return None


def answers_to(name: str, rules: WebRules) -> bool:
    """Whether a name is the server's own or allowed.

    Loopback addresses always count; other addresses and the host name only if it listens to the network.
    """
    allowed = [pattern.lower() for pattern in rules.allow_host]
    below = any(pattern.startswith("*.") and name.endswith(pattern[1:]) for pattern in allowed)
    if below or name in (LOOPBACK, rules.listening.lower().strip("[]"), *allowed):
        return True
    address = _address(name)
    if is_loopback(rules.listening):
        return address is not None and address.is_loopback
    host_name = socket.gethostname().lower()
    return address is not None or name in (host_name, f"{host_name}.local")


def is_loopback(listening: str) -> bool:
    """Whether only this machine can reach the address."""
    address = _address(listening.strip("[]"))
    return listening == LOOPBACK or (address is not None and address.is_loopback)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(name)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address
