"""Requests as fast as Python can write them: rendered ahead, pipelined over a few connections, and of the replies
nothing but their status lines are looked at.

    counts = flood(gw.address, (request(n) for n in range(1_000_000)))     {200: 1000000}
"""
import itertools
import re
import socket
import threading
from collections import Counter

from .deadline import patience

STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
WINDOW = 512  # requests of a connection that are under way


class Sender(threading.Thread):
    """One connection: writes a batch, reads its replies, writes the next."""

    def __init__(self, address, requests, lock):
        super().__init__(daemon=True)
        self.socket = socket.create_connection(address, patience(30))
        self.requests, self.lock = requests, lock
        self.counts = Counter()
        self.error = None

    def run(self) -> None:
        try:
            while batch := self.take():
                self.socket.sendall(b"".join(batch))
                self.read(len(batch))
        except Exception as error:  # told by flood()
            self.error = error
        finally:
            self.socket.close()

    def take(self) -> list:
        with self.lock:
            return list(itertools.islice(self.requests, WINDOW))

    def read(self, expected: int) -> None:
        """Bodies of problems and small objects hold no status line, so counting these is counting replies; a reply
        is over when nothing of its last body is missing, which the next batch finds out."""
        rest = b""
        while expected:
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionError(f"closed with {expected} replies to come")
            data = rest + data
            end = 0
            for match in STATUS.finditer(data):
                self.counts[int(match[1])] += 1
                expected -= 1
                end = match.end()
            rest = data[max(end, len(data) - 12):]


def flood(address, requests, connections: int = 4) -> Counter:
    """How many replies had which status."""
    requests, lock = iter(requests), threading.Lock()
    senders = [Sender(address, requests, lock) for _ in range(connections)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    errors = [sender.error for sender in senders if sender.error]
    assert not errors, errors
    return sum((sender.counts for sender in senders), Counter())
