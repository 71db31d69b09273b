"""The model server that a command asks: one that runs already, or one that runs for as long as the command takes."""

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streamer.tools.child import Child, await_until
from streamer.tools.demo import MODEL, require_tensorflow, serving_command
from streamer.tools.processes import free_port, listens
from streamer.tools.progress import Progress
from streamer.values.errors import ConfigError


@dataclass(frozen=True)
class ModelServer:
    """Who is asked."""

    address: str | None
    """Of a server that runs; None: one is started."""
    model: str
    """The model's name there."""
    model_path: Path | None
    """An exported model to serve, where no address is given; None for the bundled one."""
    state: Path
    """Where the bundled model is kept once it is exported."""

    def require_usable(self) -> None:
        """Raise ConfigError where one is to be started and cannot be; before seconds are spent."""
        if self.address is not None:
            return
        require_tensorflow()
        path = self.model_path
        if path is not None and not any(version.name.isdecimal() for version in path.glob("*/")):
            raise ConfigError(f"--model-path {path}: holds no version of a model; `sightline export` makes one")

    def met(self, children: list[Child], progress: Progress) -> str:
        """Start it where it does not run; its address.

        Args:
            children: holds each process that is started, for `stopped_in_the_end`.
            progress: told what is waited for.

        Raises:
            ChildEnded: it did not start.
        """
        if self.address is not None:
            return self.address
        models, port = self.model_path or self._exported(children, progress), free_port()
        progress.say("starting the model server")
        children.append(Child("model server", *serving_command(models, port, self.model), aside=True))
        await_until(lambda: listens(port), "the model server", children, progress.say)
        return f"127.0.0.1:{port}"

    def _exported(self, children: list[Child], progress: Progress) -> Path:
        """The bundled model, exported where that is not done yet."""
        models = self.state.absolute() / "models" / MODEL
        progress.say("preparing the bundled model (the first time takes a minute)")
        export = Child("export", "-m", "sightline_export", "--if-changed", "--output", str(models), aside=True)
        children.append(export)
        export.finish()
        children.remove(export)
        return models


@contextlib.contextmanager
def stopped_in_the_end(children: list[Child]) -> Iterator[None]:
    """SIGINT and SIGTERM interrupt the block; however it ends, every child is stopped."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number in numbers:  # a second Ctrl-C must not leave processes behind
            signal.signal(number, signal.SIG_IGN)
        for child in children:
            child.terminate()
        for child in children:
            child.stop()
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
