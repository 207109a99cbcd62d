"""TCP connections as the kernel sees them, for tests that wait until another process has come so far."""
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
