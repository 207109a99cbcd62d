"""Allocations of one cached hit with a token: the counter of bench_alloc before and after a known number of
requests on one connection, the fewest of several goes (work in the background only adds)."""

import contextlib
import os
import re
import socket
import struct

from . import cached, load, peers, tokens

REQUESTS = 2000


def run(lab):
    with contextlib.ExitStack() as stack:
        folder = lab.folder("alloc")
        counter = os.path.join(folder, "counter")
        key = tokens.HS256(folder)
        origin = lab.origin(stack)
        server = peers.sekisho(lab, stack, "sekisho-alloc", origin, key=key,
                               env={"LD_PRELOAD": lab.program("bench_alloc.so"), "BENCH_ALLOC_FILE": counter})
        server.origin = origin
        cached.fill(server)
        request = load.request_bytes(lab, server.headers)
        size = len(load.reply_bytes(server.port, request))
        with socket.create_connection(("127.0.0.1", server.port), 10) as s:
            reader = s.makefile("rb")
            ask(s, reader, request, REQUESTS)
            goes = []
            for _ in range(5):
                before = read(counter)
                ask(s, reader, request, REQUESTS)
                goes.append((read(counter) - before) / REQUESTS)
        return {"per_hit": min(goes), "goes": goes, "reply_bytes": size}


def ask(s, reader, request, count):
    for _ in range(count):
        s.sendall(request)
        length = None
        while (line := reader.readline()) != b"\r\n":
            if found := re.match(rb"(?i)content-length: *(\d+)", line):
                length = int(found[1])
        reader.read(length)


def read(path):
    with open(path, "rb") as f:
        return struct.unpack("=Q", f.read(8))[0]


def table(result):
    return [["allocations", "each"], ["cached hit, HS256", f"{result['per_hit']:.3f}"]]
