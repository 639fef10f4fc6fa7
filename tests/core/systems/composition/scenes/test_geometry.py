"""What a ray meets of each shape."""

import numpy as np
import pytest

from core.systems.composition.scenes.geometry import surface


def test_the_ball_covers_a_discs_area():
    assert surface("ball", 128).alpha.mean() == pytest.approx(np.pi / 4, abs=0.01)
