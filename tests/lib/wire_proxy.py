"""bench/wire_proxy.cc beside a test: a wire that is as bad as the test says."""
import json
import os
import subprocess
from pathlib import Path

from .deadline import patience
from .gateway import BINARY

PROGRAM = Path(os.environ.get("SEKISHO_WIRE_PROXY", BINARY.parent / "bench/sekisho_wire_proxy"))


class WireProxy:
    """with WireProxy(origin.port, "latency:20ms") as wire: fetch(wire.address); wire.stop()["touched"]"""

    def __init__(self, to: int, *faults: str, seed: int = 1):
        command = [str(PROGRAM), "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{to}", "--seed", str(seed)]
        for fault in faults:
            command += ["--fault", fault]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening 127.0.0.1:"), (line, self.process.wait(patience(5)))
        self.port = int(line.rsplit(":", 1)[1])
        self.told = None

    @property
    def address(self) -> tuple:
        return "127.0.0.1", self.port

    def stop(self) -> dict:
        """Ends it by SIGTERM; what it says it did."""
        if self.told is None:
            self.process.terminate()
            out, _ = self.process.communicate(timeout=patience(10))
            assert self.process.returncode == 0, self.process.returncode
            self.told = json.loads(out)
        return self.told

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
