"""A file that is replaced as a whole: after a power cut it is the old one or the new one. Blocks."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def replace_file(
    path: Path, content: bytes, given_up: Callable[[], bool] = lambda: False, *, mode: int = 0o600
) -> None:
    """Write beside it, make sure of the disk, and rename.

    Args:
        path: the file, or a link to it. It need not be there; its folder must.
        content: what is to be in it.
        given_up: asked when all is written: true leaves the old file.
        mode: who may read it, as chmod(2) has it.

    Raises:
        OSError: it cannot be written, or was given up; the old one is as it was.
    """
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            give_to(file.fileno(), path if path.exists() else path.parent)
            if mode != 0o600:  # which is mkstemp's
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        if given_up():
            raise TimeoutError(errno.ETIMEDOUT, "the disk answered too late")
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    with contextlib.suppress(OSError):  # some network drives cannot; the file is replaced all the same
        _sync_folder(path.parent)


def open_own(path: Path, flags: int, like: Path) -> int:
    """Open a file that only we make, and make it where it is not there: readable by its owner alone.

    Nothing is followed, and nothing given away that was there before: in a folder of the service's, root's command
    would otherwise make, write to, or give to the service whatever a link there names.

    Args:
        path: the file.
        flags: of open(2), beside those that make it.
        like: whose owner it gets where root makes it.

    Raises:
        OSError: it cannot be opened, or is a link.
    """
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
            give_to(handle, like)
            return handle
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            continue  # it went meanwhile
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise OSError(errno.ELOOP, f"{path.name} is a link, and none is followed there") from None
            raise


def give_to(handle: int, like: Path) -> None:
    """What root writes by a command, the service must be able to read: it belongs to whom another file does."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def _sync_folder(folder: Path) -> None:
    """The new name, too, must outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
