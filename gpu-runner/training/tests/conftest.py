from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _as_many_threads_as_before() -> Iterator[None]:
    """What a test sets the threads to stays with it: sums of other threads end in other bits."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
