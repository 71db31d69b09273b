"""`python -m streamer.bench.guesser HOST PORT COUNT CONNECTIONS`: wrong sign-ins, one after another on each connection.

Prints `{"answers": {"401": 5, "429": 9995}, "seconds": 12.3}`.
"""

import http.client
import json
import sys
import threading
import time
from collections import Counter

HEADERS = {"Content-Type": "application/json"}


def guess(host: str, port: int, count: int, answers: list[int]) -> None:
    """Try that many passwords on a connection of one's own, which is opened again where the service has closed it."""
    connection = http.client.HTTPConnection(host, port, timeout=30)
    for number in range(count):
        body = json.dumps({"name": "admin", "password": f"password-{number}"})
        connection.request("POST", "/api/session", body, HEADERS)
        answer = connection.getresponse()
        answer.read()
        answers.append(answer.status)
    connection.close()


def main() -> None:
    """Guess, and print what was answered."""
    host, port, count, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    answers: list[int] = []
    arguments = (host, port, count // connections, answers)
    threads = [threading.Thread(target=guess, args=arguments) for _ in range(connections)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"answers": Counter(map(str, answers)), "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
