"""`sightline demo`: a demo drone camera, the embedded model server and the service, on one machine without Docker.

Four processes, as in real use: the camera pushes RTSP, the model server answers gRPC, the service serves the page, and
this one starts them, waits for the first detection and takes them down again.
"""

import importlib.util
import signal
import socket
import time
from pathlib import Path

from streamer.tools.child import Child, Say, await_until, get
from streamer.values.errors import ConfigError

STREAM = "drone"
MODEL = "insulators"

CONFIG = """\
# Written by `sightline demo`, each time. Your own starts at docs/sightline.yaml.
server:  {{host: 127.0.0.1, port: {port}}}
serving: {{address: "127.0.0.1:{serving_port}", model: insulators}}
streams:
  drone: {{url: "{camera}", listen: true, sample_fps: 5, record: continuous}}
archive: {{days: 1, recordings: {{keep_days: 1, keep_gb: 2}}}}
"""


class Demo:
    """The processes of the demo."""

    def __init__(self, state: Path, port: int, serving_port: int, camera_port: int) -> None:
        self._state = state.absolute()
        self._port, self._serving_port, self._camera_port = port, serving_port, camera_port
        self._children: list[Child] = []
        self._started = time.monotonic()

    def run(self) -> int:
        """Start everything, say where to look, and stop everything on Ctrl-C.

        Raises:
            ConfigError: a port is taken, or TensorFlow is not installed.
            ChildEnded: a process ended before it was of use.
        """
        require_tensorflow()
        _require_free("--port", self._port)
        _require_free("--serving-port", self._serving_port)
        _require_free("--camera-port", self._camera_port)
        # SIGINT as well: a shell without job control starts what it puts in the background with it ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        try:
            self._start()
            print(f"ready: http://127.0.0.1:{self._port}", flush=True)
            while True:
                for child in self._children:
                    child.require_alive()
                time.sleep(0.5)
        except KeyboardInterrupt:
            print("\nsightline: stopping", flush=True)
            return 0
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):  # a second Ctrl-C must not leave processes behind
                signal.signal(number, signal.SIG_IGN)
            for child in self._children:
                child.terminate()
            for child in self._children:
                child.stop()

    def _start(self) -> None:
        models, footage = prepare(self._state, self._say, self._children)
        page, camera = f"http://127.0.0.1:{self._port}", f"rtsp://127.0.0.1:{self._camera_port}/{STREAM}"
        config = self._state / "demo.yaml"
        config.write_text(CONFIG.format(port=self._port, serving_port=self._serving_port, camera=camera))
        self._say("starting the camera, the model server and the service")
        self._children += [
            Child("model server", *serving_command(models, self._serving_port)),
            Child("service", "-m", "streamer", "serve", "--config", str(config)),
            Child("camera", "-m", "streamer", "camera", str(footage), camera),
        ]
        await_until(lambda: get(f"{page}/healthz") is not None, "the page", self._children, self._say)
        await_until(lambda: get(f"{page}/readyz") is not None, "the model server", self._children, self._say)
        detected = "sightline_detections_total{"
        await_until(
            lambda: detected in (get(f"{page}/metrics") or ""), "the first detection", self._children, self._say
        )

    def _say(self, sentence: str) -> None:
        print(f"[{time.monotonic() - self._started:5.1f} s] {sentence}", flush=True)


def prepare(state: Path, say: Say, children: list[Child], *, aside: bool = False) -> tuple[Path, Path]:
    """Export the bundled model and render the footage where that is not done yet, both at once.

    Args:
        state: where they are kept.
        say: shows progress.
        children: holds each process while it runs.
        aside: have them print to stderr, where stdout is the command's own answer.

    Returns:
        the model's base path, and the video file.
    """
    models, footage = state / "models" / MODEL, state / "demo.mp4"
    state.mkdir(parents=True, exist_ok=True)
    say("preparing the model and the demo camera's footage (the first time takes a minute)")
    making = [Child("export", "-m", "sightline_export", "--if-changed", "--output", str(models), aside=aside)]
    if not footage.exists():
        making.append(
            Child("footage", "-m", "sightline_models.insulators.footage", "--output", str(footage), aside=aside)
        )
    children += making
    for child in making:
        child.finish()
        children.remove(child)
    return models, footage


def serving_command(models: Path, port: int, name: str = MODEL) -> tuple[str, ...]:
    """How the embedded model server is started; the flags are tensorflow_model_server's."""
    model = ("--model_name", name, "--model_base_path", str(models))
    return ("-m", "serving", "--port", str(port), *model, "--enable_serialization_as_tensor_content=true")


def require_tensorflow() -> None:
    """Raise ConfigError where the embedded model server cannot run."""
    if importlib.util.find_spec("tensorflow") is None:
        raise ConfigError(
            "the demo's model server needs TensorFlow, which is not installed: `pip install 'sightline[model]'`"
        )


def _require_free(option: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "not a port"
            raise ConfigError(f"port {port} cannot be used ({reason}); choose another with {option}") from None
