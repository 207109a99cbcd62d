"""A DNS server that says what a test tells it, counts what it is asked, and changes its mind.

    dns = Dns()
    dns.say("origin.test", "127.0.0.1", "::1", ttl=1)
    gateway({"resolver": {"servers": [dns.address]}, ...})
    dns.say("origin.test", "127.0.0.2", ttl=1)
    dns.forget("origin.test")        # NXDOMAIN from now on
    dns.silent = True                # no answer at all
    dns.mute("sick.test")            # none to this name
    assert dns.count("origin.test") == 2

UDP on loopback, A and AAAA, one thread. A look-up by a program is two questions, one of each kind; `count` counts
those for A. Aliases (`dns.alias("www.test", "origin.test", ttl=5)`) are answered with what they lead to.
"""
import ipaddress
import socket
import struct
import threading

A, CNAME, AAAA = 1, 5, 28
NXDOMAIN = 3


def wire_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


class Dns:
    def __init__(self, host: str = "127.0.0.1", port: int = 0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.address = f"{host}:{self.socket.getsockname()[1]}"
        self.lock = threading.Lock()
        self.names, self.aliases, self.asked = {}, {}, []
        self.silent, self.muted = False, set()
        self.failure = None  # a response code for whatever is asked
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def say(self, name: str, *addresses: str, ttl: int = 60) -> None:
        with self.lock:
            self.names[name] = ([ipaddress.ip_address(address) for address in addresses], ttl)

    def alias(self, name: str, to: str, ttl: int) -> None:
        with self.lock:
            self.aliases[name] = (to, ttl)

    def forget(self, name: str) -> None:
        with self.lock:
            self.names.pop(name, None)

    def mute(self, *names: str) -> None:
        with self.lock:
            self.muted.update(names)

    def count(self, name: str, kind: int = A) -> int:
        with self.lock:
            return sum(one == (name, kind) for one in self.asked)

    def stop(self) -> None:
        self.socket.close()

    def serve(self) -> None:
        while True:
            try:
                question, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            if reply := self.answer(question):
                try:
                    self.socket.sendto(reply, peer)
                except OSError:
                    return

    def answer(self, question: bytes) -> bytes | None:
        number, = struct.unpack_from("!H", question)
        labels, at = [], 12
        while size := question[at]:
            labels.append(question[at + 1: at + 1 + size].decode().lower())
            at += 1 + size
        kind, _ = struct.unpack_from("!HH", question, at + 1)
        name = ".".join(labels)
        with self.lock:
            self.asked.append((name, kind))
            if self.silent or name in self.muted:
                return None
            records, code = [], 0
            if name in self.aliases:
                name, ttl = self.aliases[name]
                records.append((CNAME, ttl, wire_name(name)))
            addresses, ttl = self.names.get(name, (None, 0))
            if self.failure is not None:
                records, code = [], self.failure
            elif addresses is None:
                code = NXDOMAIN
            else:
                version = {A: 4, AAAA: 6}.get(kind)
                records += [(kind, ttl, one.packed) for one in addresses if one.version == version]
        reply = struct.pack("!6H", number, 0x8180 | code, 1, len(records), 0, 0) + question[12: at + 5]
        for number, (kind, ttl, data) in enumerate(records):
            owner = wire_name(name) if number and records[0][0] == CNAME else b"\xc0\x0c"
            reply += owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data
        return reply
