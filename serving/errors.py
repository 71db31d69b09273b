"""What can go wrong, as TensorFlow Serving says it.

Exception
├── StartError          the server cannot start: one line for the person who started it, exit code 2
└── ServingError        an answer to one caller: a gRPC status code and a message
"""

import logging

import grpc

log = logging.getLogger(__name__)

MAX_MESSAGE_LENGTH = 1024
"""Bytes of a message sent to a caller (tensorflow_serving/model_servers/grpc_status_util.cc)."""


class StartError(Exception):
    """The server cannot start as asked; the text says what, where and what is allowed."""


class ServingError(Exception):
    """One call's failure, with the code and the words TensorFlow Serving answers with."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def number(self) -> int:
        """The canonical status number, as protos carry it."""
        return int(self.code.value[0])

    @property
    def details(self) -> str:
        """The message as it goes to the caller: cut where TensorFlow Serving cuts it."""
        text = str(self).encode(errors="replace")
        if len(text) <= MAX_MESSAGE_LENGTH:
            return text.decode()
        return text[:MAX_MESSAGE_LENGTH].decode(errors="ignore") + "...TRUNCATED"


def as_serving_error(error: Exception) -> ServingError:
    """Any exception as an answer: what nobody foresaw is INTERNAL, in one line here and in the log."""
    if isinstance(error, ServingError):
        return error
    words = f"{type(error).__name__}: {' '.join(str(error).split())}"
    log.error("answering a request failed in a way nobody foresaw: %s", words)
    return ServingError(grpc.StatusCode.INTERNAL, words)


_CODES = {int(code.value[0]): code for code in grpc.StatusCode}


def status_code(number: int) -> grpc.StatusCode:
    """The gRPC status code of a canonical status number; UNKNOWN for a number that is none."""
    return _CODES.get(number, grpc.StatusCode.UNKNOWN)


def invalid_argument(message: str) -> ServingError:
    """The caller's request is wrong whatever the server's state."""
    return ServingError(grpc.StatusCode.INVALID_ARGUMENT, message)


def failed_precondition(message: str) -> ServingError:
    """The request would be right for another model, or at another time."""
    return ServingError(grpc.StatusCode.FAILED_PRECONDITION, message)


def not_found(message: str) -> ServingError:
    """No such model or version here now."""
    return ServingError(grpc.StatusCode.NOT_FOUND, message)
