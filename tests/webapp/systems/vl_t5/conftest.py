"""The session of a run with words, and fixtures of other folders that these tests ask for."""

import pytest

from core.records import Diagnosis
from tests.webapp.ask.conftest import plain as plain, worded as worded
from webapp.state.runs import RUNS
from webapp.state.session import Session


@pytest.fixture
def session(worded: Diagnosis) -> Session:
    return Session(RUNS.add(worded))
