"""nginx before a service."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.peers.process import free_port, run_process
from tests.peers.required import requires
from tests.peers.until import wait_until

_CONFIGURATION = """
daemon off; worker_processes 1; error_log stderr warn; pid {folder}/pid; user root;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; {server} }}
}}
"""
"""What nobody tuned: buffering, HTTP/1.0 and `Host` are as nginx has them."""


@contextmanager
def run_nginx(server: str) -> Iterator[int]:
    """Run nginx for as long as the block lasts; gives its port on 127.0.0.1.

    Args:
        server: what stands in its only `server` block, beside `listen`.
    """
    requires("nginx")
    port = free_port()
    with TemporaryDirectory(prefix="nginx-") as folder:
        path = Path(folder) / "nginx.conf"
        path.write_text(_CONFIGURATION.format(folder=folder, port=port, server=server))
        with run_process(["nginx", "-c", path, "-p", folder]):
            wait_until(lambda: _listens(port))
            yield port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
