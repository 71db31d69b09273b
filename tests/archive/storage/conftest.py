"""An object storage for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.peers.object_storage import ObjectStorage, run_object_storage


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    """One that runs."""
    with run_object_storage(tmp_path_factory.mktemp("storage")) as running:
        yield running
