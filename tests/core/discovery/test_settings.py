import pytest

from core.discovery.settings import Settings
from core.errors import InvalidInput


@pytest.mark.parametrize("seed", [-1, 2**32, 10**14])
def test_a_seed_that_no_generator_takes_is_refused_before_the_run(seed: int) -> None:
    assert Settings(seed=2**32 - 1).seed == 2**32 - 1
    with pytest.raises(InvalidInput, match=f"seed at least 0 and below 4,294,967,296.*{seed}"):
        Settings(seed=seed)
