"""The closed-form model as directories: written once a session, since TensorFlow takes seconds for each version."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions 1, 2 and 3, to copy from."""
    from tests.serving.peers import save_model  # TensorFlow: not for a run that needs no model

    base_path = tmp_path_factory.mktemp("saved")
    for version in (1, 2, 3):
        save_model(base_path, version)
    return base_path


@pytest.fixture(scope="session")
def base_path(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory with version 3 in it; a test that changes it makes its own."""
    base_path = tmp_path_factory.mktemp("tiny")
    shutil.copytree(saved / "3", base_path / "3")
    return base_path
