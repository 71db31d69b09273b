"""The system's Chromium, headless, for the tests of the page; playwright drives it, in whatever loop a test has.

One browser process serves the whole session; every test gets a context of its own, as private as a fresh profile. The
fixtures are in tests/conftest.py: `page` for one page, `browser` for a test that wants several or its own context.
"""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Browser, async_playwright

from tests.peers.process import PATIENCE_S, Process, run_process
from tests.peers.required import chromium_path, requires

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # CI runs as root, which Chromium's sandbox refuses
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have 64 MB of it
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    # A page nobody looks at must not be slowed down: its frame rate is what the tests count.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--remote-debugging-port=0",
)


@contextmanager
def run_chromium(*flags: str) -> Iterator[str]:
    """Run a Chromium with an empty profile and give the address of its DevTools, for `connect`.

    Args:
        flags: more command line flags, such as "--force-webrtc-ip-handling-policy=...".
    """
    requires("chromium")
    with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        arguments = [chromium_path() or "", *_FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"]
        with run_process(arguments) as process:
            yield f"http://127.0.0.1:{_debugging_port(process, Path(profile))}"


@asynccontextmanager
async def connect(devtools: str) -> AsyncIterator[Browser]:
    """Drive a running Chromium from the current event loop; its contexts end with the block, the process does not."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(devtools)
        try:
            yield browser
        finally:
            await browser.close()


def _debugging_port(process: Process, profile: Path) -> int:
    """Read the port Chromium chose; it writes it into its profile when it listens."""
    port_file = profile / "DevToolsActivePort"
    deadline = time.monotonic() + PATIENCE_S
    while not (port_file.exists() and "\n" in port_file.read_text()):  # it may have written half of it
        assert process.returncode is None, f"Chromium ended with status {process.returncode}:\n{process.output}"
        assert time.monotonic() < deadline, f"Chromium did not start in {PATIENCE_S} s:\n{process.output}"
        time.sleep(0.02)
    return int(port_file.read_text().splitlines()[0])
