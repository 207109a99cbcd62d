"""An origin server that does what a test tells it, well-behaved or not, and remembers all it was sent.

    origin = Origin()
    origin.on("/x", lambda ask: ask.reply(b"body", fields={"ETag": '"1"'}))
    origin.on("/slow", says(200, {"Content-Length": "2"}, b"a", gate, b"b"))
    origin.on("/cut", says(200, {"Content-Length": "9"}, b"half", Ask.close))
    ...
    assert origin.count("/slow") == 1

One thread a connection. `on` takes a path (the query not counted) and a handler of an Ask; a handler that
returns leaves the connection open for the next request unless it closed it. `received` is every byte that
came, for tests of what reaches an origin.
"""
import re
import socket
import struct
import threading

from .deadline import patience


CHUNKED = {"Transfer-Encoding": "chunked"}


class Gone(Exception):
    """The gateway closed the connection, or the test ended."""


class Ask:
    """One request, and the ways to answer it."""

    def __init__(self, connection, method: str, target: str, version: str, fields: list):
        self.connection = connection
        self.method, self.target, self.version, self.fields = method, target, version, fields
        self.body = b""

    @property
    def path(self) -> str:
        return self.target.split("?", 1)[0]

    @property
    def query(self) -> str | None:
        return self.target.split("?", 1)[1] if "?" in self.target else None

    def all(self, name: str) -> list:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name: str, default=None):
        values = self.all(name)
        assert len(values) < 2, f"{name} reached the origin {len(values)} times: {values}"
        return values[0] if values else default

    def __contains__(self, name: str) -> bool:
        return bool(self.all(name))

    # ---- answers

    def send(self, data: bytes) -> None:
        try:
            self.connection.socket.sendall(data)
        except OSError:
            self.connection.gone.set()
            raise Gone from None

    def head(self, status: int = 200, fields=(), reason: str = "Said") -> None:
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
        text = "".join(f"{name}: {value}\r\n" for name, value in pairs)
        self.send(f"HTTP/1.1 {status} {reason}\r\n{text}\r\n".encode("latin-1"))

    def reply(self, body: bytes = b"", status: int = 200, fields=()) -> None:
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
        if status not in (204, 304):
            pairs.append(("Content-Length", str(len(body))))
        self.head(status, pairs)
        if self.method != "HEAD" and status not in (204, 304):
            self.send(body)

    def chunk(self, data: bytes) -> None:
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def last_chunk(self) -> None:
        self.send(b"0\r\n\r\n")

    def close(self) -> None:
        self.connection.close()
        raise Gone

    def reset(self) -> None:
        self.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise Gone

    def stall(self, seconds: float = 30) -> None:
        """Says nothing until the gateway leaves or the origin stops."""
        self.connection.wait_gone(seconds)
        raise Gone

    # ---- bodies read by hand (handlers registered with lazy=True)

    def pieces(self):
        yield from self.connection.body_pieces(self)


def says(status: int, fields, *steps):
    """A handler that sends a head and then, step by step: bytes (as chunks, where the fields say so), a wait
    for a threading.Event, or what one of Ask's methods does (Ask.close, Ask.reset, Ask.stall)."""
    chunked = "Transfer-Encoding" in fields

    def handler(ask: Ask) -> None:
        ask.head(status, fields)
        for step in steps:
            if isinstance(step, threading.Event):
                step.wait(patience(20))
            elif callable(step):
                step(ask)
            elif chunked:
                ask.chunk(step)
            else:
                ask.send(step)
        if chunked:
            ask.last_chunk()

    return handler


class Connection(threading.Thread):
    def __init__(self, origin, accepted):
        super().__init__(daemon=True)
        self.origin, self.socket = origin, accepted
        self.received = b""  # the first MiB of what came
        self.buffer = b""
        self.gone = threading.Event()
        accepted.settimeout(patience(60))
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        self.gone.set()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def more(self) -> None:
        try:
            data = self.socket.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            self.gone.set()
            raise Gone
        if len(self.received) < 1 << 20:
            self.received += data
        self.buffer += data

    def wait_gone(self, seconds: float) -> bool:
        self.socket.settimeout(patience(seconds))
        try:
            while True:
                self.more()
        except Gone:
            return True

    def line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self.more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def body_pieces(self, ask):
        if "Transfer-Encoding" in ask:
            while size := int(self.line().split(b";")[0], 16):
                yield self.take(size)
                assert self.take(2) == b"\r\n"
            while self.line():
                pass
        else:
            left = int(ask.get("Content-Length", "0"))
            while left:
                if not self.buffer:
                    self.more()
                piece, self.buffer = self.buffer[:left], self.buffer[left:]
                left -= len(piece)
                yield piece

    def run(self) -> None:
        try:
            if self.origin.tls:
                self.handshake()
            while not self.gone.is_set():
                self.serve_one()
        except Gone:
            pass
        except Exception as error:  # a broken test script should be seen, not swallowed
            if not self.origin.stopping and not self.origin.forgiving:
                self.origin.errors.append(error)
        finally:
            self.close()

    def handshake(self) -> None:
        try:
            self.socket = self.origin.tls.wrap_socket(self.socket, server_side=True)
        except OSError:  # the gateway did not like our certificate
            raise Gone from None

    def serve_one(self) -> None:
        start = self.line().decode("latin-1")
        match = re.fullmatch(r"(\S+) (\S+) (HTTP/1\.[01])", start)
        assert match, f"the origin was sent {start!r}"
        fields = []
        while line := self.line().decode("latin-1"):
            name, value = line.split(":", 1)
            fields.append((name, value.strip()))
        ask = Ask(self, *match.groups(), fields)
        handler, lazy = self.origin.handlers.get(ask.path, self.origin.default)
        with self.origin.lock:
            self.origin.requests.append(ask)
        if not lazy:
            ask.body = b"".join(self.body_pieces(ask))
        handler(ask)


class Origin:
    def __init__(self, tls=None, port: int = 0, host: str = "127.0.0.1"):
        self.tls = tls  # an ssl.SSLContext
        self.listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(256)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.handlers = {}
        self.default = (lambda ask: ask.reply(ask.target.encode(), fields={"Content-Type": "text/plain"}), False)
        self.requests, self.accepted, self.errors = [], [], []
        self.stopping = False
        self.forgiving = False  # whether nonsense on a connection is no fault of the test
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def accept(self) -> None:
        while True:
            try:
                accepted, _ = self.listener.accept()
            except OSError:
                return
            connection = Connection(self, accepted)
            with self.lock:
                self.accepted.append(connection)
            connection.start()

    def on(self, path: str, handler, lazy: bool = False) -> None:
        self.handlers[path] = (handler, lazy)

    def otherwise(self, handler, lazy: bool = False) -> None:
        self.default = (handler, lazy)

    def seen(self, path: str) -> list:
        with self.lock:
            return [ask for ask in self.requests if ask.path == path]

    def count(self, path: str) -> int:
        return len(self.seen(path))

    @property
    def last(self) -> Ask:
        with self.lock:
            return self.requests[-1]

    @property
    def connections(self) -> list:
        """Those over which something came: the gateway's readiness probes only knock."""
        with self.lock:
            return [connection for connection in self.accepted if connection.received]

    def received(self) -> bytes:
        return b"".join(connection.received for connection in self.connections)

    def drop_connections(self) -> None:
        """Closes every connection, as an origin that restarts does."""
        with self.lock:
            open_ones, self.accepted = self.accepted, []
        for connection in open_ones:
            connection.close()

    def stop(self) -> None:
        self.stopping = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.drop_connections()
        assert not self.errors, f"the origin's script failed: {self.errors}"
