"""streamer.tools.child: what is asked of a process of ours."""

import socket
import threading

from streamer.tools.child import get


def test_what_is_no_web_server_has_no_page() -> None:
    """Another program may have taken the port meanwhile: its words are no answer, and no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"\x00\x00\x06\x04\x00 of another protocol\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert get(f"http://127.0.0.1:{listener.getsockname()[1]}/") is None
        thread.join()
