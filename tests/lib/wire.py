"""An HTTP/1.1 client that sends exactly the bytes it is given and believes nothing it reads.

It parses replies more strictly than a browser would, because a sloppy reply of the gateway is a defect:
CRLF everywhere, no Content-Length beside Transfer-Encoding, bodies of exactly the announced size.
"""
import re
import socket
import struct
from dataclasses import dataclass, field

from .deadline import patience

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\t\x20-\x7e]*)")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*?)[ \t]*")


class Truncated(Exception):
    """The connection ended inside a message. `got` is what had come of the body."""

    def __init__(self, got: bytes = b""):
        super().__init__(f"connection ended early, after {len(got)} bytes of body")
        self.got = got


class BadReply(AssertionError):
    """The gateway wrote something that is not HTTP/1.1."""


@dataclass
class Response:
    status: int
    reason: str
    fields: list  # of (name, value), as written
    body: bytes = b""
    raw_head: bytes = b""
    interim: list = field(default_factory=list)  # of Response

    def all(self, name: str) -> list:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name: str, default=None):
        values = self.all(name)
        if len(values) > 1:
            raise BadReply(f"{name} stands {len(values)} times: {values}")
        return values[0] if values else default

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        assert value is not None, f"no {name} in {self.fields}"
        return value

    def __contains__(self, name: str) -> bool:
        return bool(self.all(name))

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """One TCP connection. Lines and bodies are read from a buffer, so that nothing is lost between reads."""

    def __init__(self, address, timeout: float = 10, receive_buffer: int | None = None, source: str | None = None):
        """`source`: the address to come from; all of 127.0.0.0/8 is ours."""
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        if source is not None:
            self.socket.bind((source, 0))
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(patience(timeout))
        self.socket.connect(tuple(address))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Leaves with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, data) -> None:
        self.socket.sendall(data if isinstance(data, (bytes, bytearray, memoryview)) else data.encode("latin-1"))

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    # ---- writing requests

    def ask(self, target: str = "/", method: str = "GET", fields=(), body: bytes | None = None,
            host: str = "gateway.test") -> None:
        """Sends one well-formed request; `fields` is a dict or a list of pairs."""
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in pairs]
        named = {name.lower() for name, _ in pairs}
        if body is not None and not named & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines) + "\r\n\r\n")
        if body:
            self.send(body)

    def get(self, target: str = "/", fields=(), method: str = "GET", body: bytes | None = None, **more) -> Response:
        """Sends one request and reads its final reply."""
        self.ask(target, method, fields, body, **more)
        return self.read(method)

    # ---- reading replies

    def more(self) -> bool:
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            return False
        self.buffer += data
        return bool(data)

    def line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            if not self.more():
                raise Truncated(self.buffer)
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def exactly(self, size: int) -> bytes:
        parts, have = [self.buffer[:size]], min(size, len(self.buffer))
        self.buffer = self.buffer[size:]
        while have < size:
            try:
                data = self.socket.recv(min(1 << 18, size - have))
            except ConnectionResetError:
                data = b""
            if not data:
                raise Truncated(b"".join(parts))
            parts.append(data)
            have += len(data)
        return b"".join(parts)

    def read_head(self) -> Response:
        start = self.line()
        match = STATUS_LINE.fullmatch(start)
        if not match:
            raise BadReply(f"not a status line: {start!r}")
        fields, raw = [], start + b"\r\n"
        while line := self.line():
            raw += line + b"\r\n"
            pair = FIELD_LINE.fullmatch(line)
            if not pair:
                raise BadReply(f"not a field: {line!r}")
            fields.append((pair[1].decode(), pair[2].decode("latin-1")))
        return Response(int(match[1]), match[2].decode(), fields, raw_head=raw + b"\r\n")

    def chunks(self):
        """The chunks of a chunked body, as they were cut."""
        got = b""
        while True:
            try:
                size = self.line()
                if not re.fullmatch(rb"[0-9A-Fa-f]+", size):
                    raise BadReply(f"not a chunk size: {size!r}")
                size = int(size, 16)
                if size == 0:
                    while self.line():
                        pass
                    return
                chunk = self.exactly(size)
                got += chunk if len(got) < 1 << 20 else b""
                if self.exactly(2) != b"\r\n":
                    raise BadReply("chunk without its CRLF")
            except Truncated as cut:
                raise Truncated(got + cut.got) from None
            yield chunk

    def pieces(self, head: Response, method: str = "GET"):
        """The body of `head` as it comes, in pieces; raises Truncated when it does not come whole."""
        length, coding = head.all("Content-Length"), head.all("Transfer-Encoding")
        if length and coding:
            raise BadReply("Content-Length beside Transfer-Encoding")
        if len(length) > 1 or (length and not length[0].isdigit()):
            raise BadReply(f"Content-Length: {length}")
        if method == "HEAD" or head.status in (204, 304) or head.status < 200:
            if head.status in (204,) and (length or coding):
                raise BadReply("204 with a framing field")
            return
        if coding:
            if [value.lower() for value in coding] != ["chunked"]:
                raise BadReply(f"Transfer-Encoding: {coding}")
            yield from self.chunks()
        elif length:
            left = int(length[0])
            while left:
                if not self.buffer and not self.more():
                    raise Truncated()
                piece, self.buffer = self.buffer[:left], self.buffer[left:]
                left -= len(piece)
                yield piece
        else:
            if head.get("Connection", "").lower() != "close":
                raise BadReply("a body without length on a connection that stays open")
            if self.buffer:
                yield self.buffer
                self.buffer = b""
            while self.more():
                yield self.buffer
                self.buffer = b""

    def read(self, method: str = "GET") -> Response:
        """One whole reply; interim replies before it are kept in `interim`."""
        interim = []
        while (head := self.read_head()).status in (100, 102, 103):
            interim.append(head)
        parts = []
        try:
            for piece in self.pieces(head, method):
                parts.append(piece)
        except Truncated as cut:
            raise Truncated(b"".join(parts) or cut.got) from None
        head.body, head.interim = b"".join(parts), interim
        return head

    def drain(self, head: Response) -> int:
        """Reads the body of `head` and keeps only its size."""
        return sum(len(piece) for piece in self.pieces(head))

    # ---- the end of a connection

    def closed(self, seconds: float = 5) -> bool:
        """Whether the gateway closes the connection within `seconds`, and says nothing before."""
        self.socket.settimeout(patience(seconds))
        try:
            return not self.buffer and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def silent(self, seconds: float = 0.2) -> bool:
        """Whether nothing comes for `seconds` (and the connection stays open)."""
        self.socket.settimeout(seconds)
        try:
            if self.buffer:
                return False
            self.buffer = self.socket.recv(1 << 16)
            return False
        except TimeoutError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self.socket.settimeout(patience(10))


def fetch(address, target: str = "/", fields=(), method: str = "GET", body: bytes | None = None,
          timeout: float = 10, **more) -> Response:
    """One request on a connection of its own."""
    with Client(address, timeout) as client:
        return client.get(target, fields, method, body, **more)


def exchange(address, data, method: str = "GET") -> tuple:
    """Sends raw bytes; the first reply and whether the connection was closed after it."""
    with Client(address) as client:
        client.send(data)
        reply = client.read(method)
        return reply, client.closed(2)


def cache_status(reply: Response) -> dict:
    """RFC 9211: the parameters of our own cache's entry, e.g. {"hit": True} or {"fwd": "uri-miss"}."""
    value = reply.get("Cache-Status")
    if value is None:
        return {}
    entry = value.split(",")[-1]
    name, *parameters = [part.strip() for part in entry.split(";")]
    result = {"cache": name}
    for parameter in parameters:
        key, _, text = parameter.partition("=")
        result[key] = text or True
    return result


def is_hit(reply: Response) -> bool:
    return cache_status(reply).get("hit") is True
