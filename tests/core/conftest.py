"""Films that several tests look at."""

import pytest

from tests.cells import FRAMES, film


@pytest.fixture(scope="session")
def movie():
    """Seven cells, two of which overlap, for 20 s."""
    return film(FRAMES)
