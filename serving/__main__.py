"""`python -m serving`: the embedded model server. Exit codes: 0 stopped, 2 cannot start."""

import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from types import FrameType

from serving import malloc
from serving.banners import import_tensorflow
from serving.errors import StartError
from serving.options import Options


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    stop = threading.Event()
    serving = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        if not serving:  # TensorFlow's import and a model's load cannot be interrupted, and nothing is in work
            os.write(1, b"stopped before serving\n")  # print may be in the middle of a line
            os._exit(0)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    malloc.keep_large_blocks()
    try:
        options = Options.parse(arguments)
        for port in filter(None, (options.port, options.rest_api_port)):
            _check_port(options.host, port)
        for note in options.notes:
            say(note)
        say("loading tensorflow")
        try:
            import_tensorflow()
            from serving.server import Server
        except ImportError as error:
            raise StartError(f"{error}; the model server needs `pip install 'sightline[model]'`") from error
        gc.freeze()  # what the import made stays: collections, which hold up every request, need not look at it
        running = Server(options, say, stop)
        running.load()
        serving = True
        running.open()
    except StartError as error:
        print(f"serving: {error}", file=sys.stderr)
        return 2
    if options.rest_api_port:
        say(f"REST on {options.address(running.rest_port)}")
    models = ", ".join(_named(name, versions) for name, versions in running.models.available().items())
    say(f"serving {models} on {running.address}")
    stop.wait()
    say("stopping: answering what is in work")
    drained = running.close()
    say("stopped" if drained else "stopped; some requests were not answered in time")
    return 0


def say(text: str) -> None:
    """One line of progress, at once; nobody need be listening."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def _named(model: str, versions: list[int]) -> str:
    return f"{model} version{'s' * (len(versions) > 1)} {' and '.join(map(str, versions))}"


def _check_port(host: str, port: int) -> None:
    """Say that the port is taken before seconds go into loading."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error


if __name__ == "__main__":
    code = main()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # TensorFlow's threads may hold the interpreter for seconds; everything is answered by now
