"""Fixtures every test may use."""

import io
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

# Here, before any test imports TensorFlow: loaded after it, pylibsrtp 1.0 is bound to the OpenSSL that TensorFlow's
# libraries export, instead of its own, and dies in srtp_init. The service never loads both; a test run does.
import pylibsrtp  # noqa: F401
import pytest
from hypothesis import settings
from playwright.async_api import Browser, Page

from tests.peers import index_detector
from tests.peers.chromium import connect, run_chromium
from tests.peers.clip import make_clip
from tests.peers.model_server import ModelServer, run_model_server
from tests.selection import is_slow, is_steady, is_waiting


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--fast`, `--slow`, `--waiting` and `--steady`."""
    parser.addoption("--fast", action="store_true", help="no browser, no TensorFlow, no real camera")
    parser.addoption("--slow", action="store_true", help="what --fast leaves out, and nothing else")
    parser.addoption("--waiting", choices=["only", "not"], help="the tests that mostly wait, or all others")
    parser.addoption("--steady", choices=["only", "not"], help="those that need no quiet machine, or all others")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what `--fast`, `--slow`, `--waiting` and `--steady` leave out, without importing it."""
    if collection_path.is_dir():
        tests = list(collection_path.rglob("test_*.py"))
        return True if tests and all(pytest_ignore_collect(test, config) for test in tests) else None
    if collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    waiting = config.getoption("waiting")
    if waiting is not None and is_waiting(collection_path) != (waiting == "only"):
        return True
    steady = config.getoption("steady")
    if steady is not None and is_steady(collection_path) != (steady == "only"):
        return True
    if not (config.getoption("fast") or config.getoption("slow")):
        return None
    return True if config.getoption("fast") == is_slow(collection_path) else None


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say at the top what is left out."""
    return ["--fast: no test that needs a browser, TensorFlow or a real camera"] if config.getoption("fast") else []


# The same texts in every run, so that a change which fails has failed by itself; and none that is slow is wrong.
settings.register_profile("sightline", derandomize=True, deadline=None, database=None)
settings.load_profile("sightline")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say at the end how much was covered, where that was measured: a figure for the reader, and no threshold."""
    plugin = config.pluginmanager.get_plugin("_cov")
    if plugin is not None and plugin.cov_controller is not None:
        covered = plugin.cov_controller.cov.report(file=io.StringIO())
        terminalreporter.write_line(f"coverage of what ran in the test process itself: {covered:.1f} % of the lines")


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """Run one Chromium for the session; the value is the address of its DevTools."""
    with run_chromium() as devtools:
        yield devtools


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Give the session's Chromium to a test that makes its own contexts and pages."""
    async with connect(chromium) as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Give one page in a context of its own."""
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


@pytest.fixture(scope="session")
def numbered_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make two seconds of 320x240 at 30 fps that the session's detector can read."""
    return make_clip(tmp_path_factory.mktemp("clip") / "numbered.mp4", seconds=2, gop=15)


@pytest.fixture(scope="session")
def index_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the detector that reads the numbers of clips; the value is its base path."""
    base_path = tmp_path_factory.mktemp("models") / index_detector.CONTRACT.name
    writing = [sys.executable, "-m", index_detector.__name__, str(base_path / "1")]
    done = subprocess.run(writing, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return base_path


@pytest.fixture(scope="session")
def model_server(index_model: Path) -> Iterator[ModelServer]:
    """Run one model server for the session; a test that kills one runs its own."""
    with run_model_server(index_model, index_detector.CONTRACT.name) as server:
        yield server
