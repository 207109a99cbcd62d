"""The load: wrk for small cached replies, bench_sink for large bodies and idle connections."""

import json
import re
import socket
import subprocess

from .peers import PATH
from .process import BenchError, Process

HOST = "bench.test"  # the same for every server, so that the requests have the same bytes
CONNECTIONS = 64
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def wrk(lab, port, headers, seconds, connections=CONNECTIONS):
    """One round; {requests, seconds, p50, p99}. Fails when any reply was not 2xx."""
    argv = [lab.program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-H", f"Host: {HOST}"]
    for header in headers:
        argv += ["-H", header]
    text = _run(lab, argv + [f"http://127.0.0.1:{port}{PATH}"], seconds + 20)
    done = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m),", text)
    times = {p: re.search(rf"{p}%\s+([\d.]+)(us|ms|s|m)", text) for p in (50, 99)}
    if not done or not all(times.values()) or int(done[1]) == 0 or "Non-2xx" in text or "Socket errors" in text:
        raise BenchError("the load did not get what it asked for: " + " | ".join(text.split("\n")))
    return {"requests": int(done[1]), "seconds": float(done[2]) * UNITS[done[3]],
            **{f"p{p}": float(found[1]) * UNITS[found[2]] for p, found in times.items()}}


def request_bytes(lab, headers):
    """Exactly what wrk sends, learned by being its server once."""
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    seen = b""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        argv = [lab.program("wrk"), "-t1", "-c1", "-d1s", "-H", f"Host: {HOST}"]
        for header in headers:
            argv += ["-H", header]
        argv.append(f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}")
        listener.settimeout(5)
        with Process(argv):
            while not seen.endswith(b"\r\n\r\n"):  # wrk opens a connection of its own first, and sends nothing
                client, _ = listener.accept()
                with client:
                    client.settimeout(5)
                    while not seen.endswith(b"\r\n\r\n"):
                        data = client.recv(65536)
                        if not data:
                            break
                        seen += data
                    client.sendall(reply)
    return seen


def reply_bytes(port, request):
    """Exactly what the server answers to it."""
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall(request)
        data = b""
        while True:
            head, end, body = data.partition(b"\r\n\r\n")
            if end and len(body) >= int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1]):
                break
            piece = s.recv(65536)
            if not piece:
                raise BenchError("the server closed in the middle of its reply")
            data += piece
    if not data.startswith(b"HTTP/1.1 200 "):
        raise BenchError("the server refuses the bench's request: " + data.split(b"\r\n")[0].decode())
    return data


def sink(lab, port, size, count, seconds, verify=False):
    """`count` transfers of `size` bytes at once; {whole, failed, bytes, seconds}."""
    argv = [lab.program("bench_sink"), "get", str(port), f"/bytes/{size}", str(count), str(seconds)]
    text = _run(lab, argv + ["verify"] * verify, seconds + 5, may_fail=True)
    try:
        result = json.loads(text)
    except ValueError:
        raise BenchError(f"{count} transfers did not end within {seconds} s: {text.strip()}") from None
    if result["bytes"] != size * count:
        result["failed"] = max(result["failed"], 1)
    return result


def hold(lab, stack, port, count, seconds):
    """Opens and keeps `count` connections until the stack unwinds; returns when each has had one reply."""
    argv = [lab.program("bench_sink"), "hold", str(port), PATH, str(count), str(seconds)]
    log = f"{lab.folder('hold')}/output.log"
    process = stack.enter_context(Process(argv, core=lab.load_core, log=log))
    process.wait_for_line("ready", seconds)


def _run(lab, argv, seconds, may_fail=False):
    prefix = ["taskset", "-c", str(lab.load_core)]
    try:
        done = subprocess.run(prefix + argv, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{argv[0]} did not end within {seconds} s") from None
    if done.returncode and not may_fail:
        raise BenchError(f"{argv[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout or done.stderr
