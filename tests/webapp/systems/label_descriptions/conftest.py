"""Fixtures of other folders that these tests ask for."""

from tests.webapp.ask.conftest import plain as plain, worded as worded
