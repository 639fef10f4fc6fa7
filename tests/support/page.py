"""A page of HTML as tests look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._parts, self._hidden = list[str](), False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        self.text += data
        if not self._hidden:
            self._parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    @property
    def lines(self) -> list[str]:
        """The text that is seen, in the lines that it is written in, elements a space apart."""
        return [
            line
            for line in (re.sub("[ \\t]+", " ", one).strip(" ") for one in " ".join(self._parts).splitlines())
            if line
        ]

    def named(self, *names: str) -> Iterator[dict[str, str | None]]:
        return (attributes for tag, attributes in self.tags if tag in names)
