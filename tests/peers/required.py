"""What a test needs from outside Python: missing, it is skipped by name; under `CI=true` it fails instead."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's own Python, the one its `python3-gi` belongs to."""

_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_GST_CHECK = """
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
raise SystemExit(Gst.ElementFactory.find("rtph264pay") is None)
"""

_WEBRTC_CHECK = """
import gi
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstWebRTC
Gst.init(None)
needed = "webrtcbin nicesink dtlsenc srtpenc openh264dec vp8enc vp8dec rtph264pay h264parse qtdemux"
raise SystemExit(not all(map(Gst.ElementFactory.find, needed.split())))
"""


def chromium_path() -> str | None:
    """The first Chromium or Chrome on PATH."""
    return next(filter(None, map(shutil.which, _CHROMIUMS)), None)


def firefox_path() -> str | None:
    """The first Firefox on PATH."""
    return next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


def postgresql_programs() -> Path | None:
    """The folder of the newest PostgreSQL server's programs; Debian keeps them off PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else None if on_path is None else Path(on_path).parent


def mosquitto_path() -> str | None:
    """The broker; Debian keeps it where only root looks."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def nats_server_path() -> str | None:
    """NATS's server, which a package of Python's brings; or the system's."""
    return shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")


def _passes(check: str) -> bool:
    """Whether Debian's Python runs `check` to a good end."""
    if not Path(SYSTEM_PYTHON).exists():
        return False
    return subprocess.run([SYSTEM_PYTHON, "-c", check], capture_output=True, check=False).returncode == 0


_RTSPCLIENTSINK_CHECK = """
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
needed = "rtspclientsink qtdemux h264parse h265parse mulawenc audiotestsrc rtph264pay"
raise SystemExit(not all(map(Gst.ElementFactory.find, needed.split())))
"""


_TOOLS: dict[str, Callable[[], bool]] = {
    "chromium": lambda: chromium_path() is not None,
    "gst-rtsp-server": lambda: _passes(_GST_CHECK),
    "gst-rtspclientsink": lambda: shutil.which("gst-launch-1.0") is not None and _passes(_RTSPCLIENTSINK_CHECK),
    "gst-webrtc": lambda: _passes(_WEBRTC_CHECK),
    "prometheus": lambda: shutil.which("prometheus") is not None,
    "promtool": lambda: shutil.which("promtool") is not None,
    "ffmpeg": lambda: shutil.which("ffmpeg") is not None,
    "firefox": lambda: firefox_path() is not None,
    "turnserver": lambda: shutil.which("turnserver") is not None,
    "nginx": lambda: shutil.which("nginx") is not None,
    "postgresql": lambda: postgresql_programs() is not None,
    "mosquitto": lambda: mosquitto_path() is not None,
    "nats-server": lambda: nats_server_path() is not None,
    "node": lambda: shutil.which("node") is not None,
    "oidc-provider": lambda: (REPOSITORY / "node_modules" / "oidc-provider").is_dir() and _node_is_new(),
}


_HOW = {
    "nats-server": "`make test` installs it, by a package of Python's",
    "oidc-provider": "`make test` installs it where Node.js 20 or newer is",
}
"""How a tool comes that is no package of the system's."""


def _node_is_new() -> bool:
    check = "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)"
    return shutil.which("node") is not None and subprocess.run(["node", "-e", check], check=False).returncode == 0


@cache
def has_tool(tool: str) -> bool:
    """Say whether `tool`, such as chromium, gst-rtsp-server or ffmpeg, can be used here."""
    return _TOOLS[tool]()


def on_ci() -> bool:
    """Say whether this run counts: then nothing may be left out."""
    return os.environ.get("CI", "").lower() in ("1", "true")


def requires(*tools: str) -> None:
    """End the running test unless every one of `tools` is here. Call it inside a test, a fixture or a peer."""
    for tool in tools:
        if not has_tool(tool):
            how = _HOW.get(tool, "scripts/install_test_tools.sh installs it on Debian and Ubuntu")
            _missing(f"{tool} is not installed; {how}")


def data_file(name: str) -> Path:
    """Find a data file by its path below the data folder, such as "video/car-detection.mp4".

    The folder is `SIGHTLINE_DATA`, or else `shared/data` beside the repository. Its pictures and clips are not ours to
    give away, so the repository does not hold them; without them the test ends here.
    """
    folder = Path(os.environ.get("SIGHTLINE_DATA") or REPOSITORY.parent / "shared" / "data")
    if not (path := folder / name).exists():
        if "SIGHTLINE_DATA" in os.environ:
            pytest.fail(f"{name} is not in {folder}, which SIGHTLINE_DATA names")
        pytest.skip(f"{name} is not in the data folder; SIGHTLINE_DATA names that folder")
    return path


def _missing(reason: str) -> NoReturn:
    if on_ci():
        pytest.fail(f"{reason}; under CI=true a test may not be left out")
    pytest.skip(reason)
