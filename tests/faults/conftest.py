from collections.abc import Iterator

import pytest

from tests.faults.line import Line, line


@pytest.fixture
def bad_line() -> Iterator[Line]:
    """A line in bad weather to a network that only it leads to."""
    try:
        with line(seed=1) as made:
            yield made
    except LookupError as error:
        pytest.skip(str(error))
