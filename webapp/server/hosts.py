"""Which names the server answers to.

A name of somebody else's can be made to lead here after a page was loaded from it (DNS rebinding); its scripts then
read this server as if it were their own. A number as the host cannot: the browser had to be told it.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

from webapp.server.asked import Asked, Refusal, split_host
from webapp.server.rules import WebRules

LOOPBACK = "localhost"


def unknown_host(asked: Asked, rules: WebRules) -> Refusal | None:
    """Why a request is not answered under the name that it gives."""
    given = asked.headers.getlist("host")
    if len(given) != 1:
        return Refusal(400, f"A request names its host once: got {len(given)} Host headers. Send exactly one.")
    for said in dict.fromkeys((given[0], asked.host)):
        found = split_host(said)
        if found is None:
            return Refusal(400, "The Host header is no name or address with a port. Open the page by its address.")
        if not answers_to(found[0], rules):
            return Refusal(
                421,
                f"This server does not answer to the name {found[0][:100]}. "
                f"If it is yours, start it with --allow-host {found[0][:100]}.",
            )
    return None


def answers_to(name: str, rules: WebRules) -> bool:
    """Whether a name is the server's own or one that it was told of.

    This machine's addresses always count; other addresses and its host name only where it listens to the network.
    """
    if name == LOOPBACK or name == rules.listening.lower().strip("[]") or _is_told(name, rules.allow_host):
        return True
    address = _address(name)
    if is_loopback(rules.listening):
        return address is not None and address.is_loopback
    own = socket.gethostname().lower()
    return address is not None or name in (own, f"{own}.local")


def is_loopback(listening: str) -> bool:
    """Whether only this machine reaches what listens there."""
    address = _address(listening.strip("[]"))
    return listening == LOOPBACK or (address is not None and address.is_loopback)


def _is_told(name: str, told: tuple[str, ...]) -> bool:
    wanted = [t.lower() for t in told]
    return name in wanted or any(t.startswith("*.") and name.endswith(t[1:]) for t in wanted)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(name)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
