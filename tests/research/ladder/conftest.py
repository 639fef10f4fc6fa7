"""Fixtures of other folders that these tests ask for."""

from tests.core.cli.conftest import drawn as drawn, pictures as pictures, tiny as tiny
