"""What one run of the bench works with: a scratch folder, the cores, the built programs, and every process that
it has started and so must stop."""

import contextlib
import http.client
import os
import shutil
import tempfile
from dataclasses import dataclass, field

from .process import BenchError, Process, free_port


def peers_folder():
    """Where scripts/peers puts what it brings."""
    return os.environ.get("SEKISHO_PEERS", os.path.expanduser("~/.cache/sekisho/peers"))


class Lab:
    """`programs`: the path of each that is neither the bench's own nor Debian's."""

    def __init__(self, build, programs, server_core, load_core, verbose):
        self.build, self.server_core, self.load_core = build, server_core, load_core
        self.programs = programs
        self.verbose = verbose
        self.dir = tempfile.mkdtemp(prefix="sekisho-bench-")
        os.chmod(self.dir, 0o755)  # one measurement runs as nobody
        self._copied = {}

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def say(self, text):
        if self.verbose:
            print(text, flush=True)

    def program(self, name):
        """The path of a program. Ours are run from a copy: a build during the run changes nothing, and nobody
        may read it."""
        if name.startswith("bench_"):
            source = os.path.join(self.build, "bench", name)
        else:
            source = self.programs.get(name) or shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not source or not os.path.exists(source):
            foreign = name in self.programs and name != "sekisho"
            raise BenchError(f"{name} is missing: `scripts/peers {name}` brings it" if foreign else
                             f"{name} is missing: `make build` and `scripts/install bench` bring it")
        if name != "sekisho" and not name.startswith("bench_"):
            return source
        if name not in self._copied:
            self._copied[name] = os.path.join(self.dir, name)
            shutil.copy(source, self._copied[name])
        return self._copied[name]

    def folder(self, name):
        path = tempfile.mkdtemp(prefix=name + "-", dir=self.dir)
        os.chmod(path, 0o777)
        return path

    def origin(self, stack):
        """Starts an origin beside the load; its port."""
        port = free_port()
        process = stack.enter_context(Process([self.program("bench_origin"), str(port)], core=self.load_core))
        process.wait_for_port(port)
        return port


def origin_count(port):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as c:
        c.request("GET", "/count")
        return int(c.getresponse().read())


@dataclass
class Server:
    """A server under measurement."""
    name: str
    process: Process
    port: int
    headers: list = field(default_factory=list)  # what its clients send beyond Host
    origin: int = 0  # its origin's port, 0: it has none
    access_log: str = ""
    admin: int = 0  # the port of its admin listener
