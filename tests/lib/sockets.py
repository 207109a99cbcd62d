"""TCP connections as the kernel sees them, for tests that wait until another process has come so far; and an address
that never answers."""
import errno
import socket
from dataclasses import dataclass
from pathlib import Path

SYN_SENT = 2


@dataclass
class Socket:
    port: int  # its own
    peer: int  # the other side's
    state: int
    unread: int  # bytes that have come and that nobody has read


def sockets() -> list:
    """All of this host (of its network namespace) over IPv4."""
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, state, queues, *_ = line.split()
        found.append(Socket(int(here.split(":")[1], 16), int(there.split(":")[1], 16), int(state, 16),
                            int(queues.split(":")[1], 16)))
    return found


def connecting_to(port: int) -> int:
    """How many sockets wait for an answer from there."""
    return sum(one.peer == port and one.state == SYN_SENT for one in sockets())


def unread_at(port: int) -> int:
    """Bytes that wait to be read by whoever serves there."""
    return sum(one.unread for one in sockets() if one.port == port and one.peer)


class BlackHole:
    """An address where a SYN is not answered: a listener that accepts nothing and whose queue is full."""

    def __init__(self, host: str, port: int = 0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sockets = [socket.socket(family)]
        self.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sockets[0].bind((host, port))
        self.sockets[0].listen(0)
        self.port = self.sockets[0].getsockname()[1]
        for _ in range(8):
            filler = socket.socket(family)
            filler.settimeout(0.2)
            self.sockets.append(filler)
            try:
                filler.connect((host, self.port))
            except TimeoutError:
                return
            except OSError as error:
                assert error.errno == errno.EAGAIN, error
        raise AssertionError(f"{host}:{self.port} takes connections all the same")

    def stop(self) -> None:
        for one in self.sockets:
            one.close()
