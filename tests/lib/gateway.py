"""The real binary, started with a configuration of the test's, and stopped the way an operator would.

Every gateway listens on ports of the system's choice, which its operational log tells. Stopping asserts
what must always hold: exit code 0 and no report of a sanitizer.
"""
import json
import os
import re
import resource
import shlex
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from .deadline import SLOW, patience, until
from .exposition import Metrics
from .wire import Client, Response, fetch

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("SEKISHO_BIN", ROOT / "build/release/sekisho")).resolve()

# In another year (`make test-year-ahead`) only the date is another: waits of ours are by a clock that libfaketime does
# not turn everywhere.
BESIDES = {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}

SANITIZER = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:)")


def run(*arguments, env=None, timeout: float = 30, **more) -> subprocess.CompletedProcess:
    """A subcommand that ends by itself."""
    done = subprocess.run([str(BINARY), *map(str, arguments)], env=os.environ | BESIDES | (env or {}), text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=patience(timeout), **more)
    assert not SANITIZER.search(done.stderr), done.stderr
    return done


def complaint(directory: Path, config: dict, mentions: str, command: str = "check") -> subprocess.CompletedProcess:
    """A configuration that is refused, with one line that names the file and `mentions` what is wrong."""
    file = directory / "broken.yaml"
    file.write_text(yaml.safe_dump({"listen": "127.0.0.1:0"} | config))
    done = run(command, "-c", file)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line]
    assert len(lines) == 1 and "broken.yaml:" in lines[0] and mentions in lines[0], done.stderr
    return done


@dataclass
class Reload:
    ok: bool
    told: list  # records of the operational log since the signal


class Gateway:
    def __init__(self, directory: Path, config, env=None, hosts=None, name_server=None, arguments=(), pass_fds=()):
        """`config`: a dict, to which listeners on free ports are added, or the text of a file as it is.
        `hosts`: names that resolve to 127.0.0.1 for this process alone (a mount namespace of its own).
        `name_server`: the system's, for this process alone; an address, since the port is always 53.
        `pass_fds`: descriptors that it inherits."""
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.file = directory / "sekisho.yaml"
        self.out, self.err = directory / "stdout", directory / "stderr"
        self.env = os.environ | BESIDES | {"ASAN_OPTIONS": "detect_leaks=1",
                                           "UBSAN_OPTIONS": "print_stacktrace=1"} | (env or {})
        self.files = {}  # that stand in the place of the system's
        if hosts:
            self.files["hosts"] = "127.0.0.1 localhost " + " ".join(hosts) + "\n"
        if name_server:
            self.files["resolv.conf"] = f"nameserver {name_server}\n"
        self.pass_fds = pass_fds
        self.arguments = [str(BINARY), "serve", "-c", str(self.file), *arguments]
        self.process = None
        self.config = None
        self.write(config)

    # ---- configuration

    def write(self, config) -> None:
        if isinstance(config, dict):
            config = {"listen": "127.0.0.1:0", "admin": {"listen": "127.0.0.1:0"}, "workers": 2} | config
            if isinstance(config["admin"], dict):  # the name that lib.wire asks for
                config["admin"] = {"hosts": ["gateway.test"]} | config["admin"]
            self.config = config
            config = yaml.safe_dump(config, sort_keys=False)
        self.file.write_text(config)

    # ---- life

    def start(self, wait: str = "ready") -> "Gateway":
        """`wait`: "ready" (the default), "listening" (a dependency may be down), or "" for neither."""
        command = self.arguments
        if self.files:
            mounts = ""
            for name, text in self.files.items():
                (self.directory / name).write_text(text)
                mounts += f"mount --bind {shlex.quote(str(self.directory / name))} /etc/{name} && "
            command = ["unshare", "--mount", "--map-root-user", "sh", "-c", f"{mounts}exec \"$@\"", "sh", *command]
        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=self.env, cwd=self.directory, pass_fds=self.pass_fds)
        if wait:
            until(self.listening, 20, "the gateway to listen")
        if wait == "ready":
            until(lambda: self.ready().status == 200, 20, "the gateway to be ready")
        return self

    def listening(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the gateway ended with {self.process.returncode}:\n{self.stderr()[-3000:]}")
        kinds = {record.get("listener") for record in self.logged("listening")}
        return "main" in kinds and ("admin" in kinds or "admin" not in (self.config or {"admin": 1}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = 15) -> int:
        """The exit code, when the process ends in time."""
        return self.process.wait(patience(seconds))

    def stop(self) -> None:
        """Stops it by SIGTERM if a test has not; the exit must be clean either way."""
        if self.process is None:
            return
        if self.running:
            self.signal(signal.SIGTERM)
        try:
            code = self.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the gateway did not end after SIGTERM") from None
        self.process = None
        self.check_clean()
        assert code == 0, f"exit code {code}:\n{self.stderr()[-3000:]}"

    def kill(self) -> None:
        """Ends it whatever state it is in, and asserts nothing."""
        if self.running:
            self.process.kill()
            self.process.wait()
        self.process = None

    def check_cut_short(self) -> None:
        """After an end in which something was cut: the exit code says so, and nothing else is wrong."""
        assert self.process.returncode == 1, self.process.returncode
        self.process = None
        self.check_clean()

    def check_clean(self) -> None:
        report = SANITIZER.search(self.stderr())
        assert not report, self.stderr()[report.start():][:6000]

    # ---- logs

    def stderr(self) -> str:
        return self.err.read_text(errors="replace") if self.err.exists() else ""

    def log(self, since: int = 0) -> list:
        """The operational log's records."""
        records = []
        for line in self.stderr()[since:].splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                records.append(record)
        return records

    def logged(self, message: str, since: int = 0) -> list:
        return [record for record in self.log(since) if record.get("message") == message]

    def access(self) -> list:
        """The access log's records; its last line may still be on its way."""
        text = self.out.read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def access_for(self, match, seconds: float = 5) -> dict:
        """The first access record that `match` (a predicate, or a path) fits."""
        fits = match if callable(match) else lambda record: record.get("path") == match
        return until(lambda: next((record for record in self.access() if fits(record)), None), seconds,
                     f"an access record for {match}")

    # ---- addresses

    def address_of(self, listener: str) -> tuple:
        record = until(lambda: next((record for record in self.logged("listening") if record["listener"] == listener), None),
                       10, f"the {listener} listener")
        host, _, port = record["address"].rpartition(":")
        return host.strip("[]"), int(port)

    @cached_property
    def address(self) -> tuple:
        return self.address_of("main")

    @cached_property
    def admin(self) -> tuple:
        return self.address_of("admin")

    def admin_token(self) -> str:
        """The bootstrap token, which the gateway made at its first start."""
        admin = (self.config or {}).get("admin") or {}
        return (self.directory / admin.get("token_file", "admin.token")).read_text().strip()

    def administrate(self, target: str, method: str = "GET", body: bytes | None = None, fields=()) -> Response:
        """Asks the admin listener, with the bootstrap token."""
        fields = {"Authorization": f"Bearer {self.admin_token()}", "Content-Type": "application/json"} | dict(fields)
        return fetch(self.admin, target, fields, method, body)

    # ---- asking

    def client(self, timeout: float = 10, **more) -> Client:
        return Client(self.address, timeout, **more)

    def get(self, target: str = "/", fields=(), method: str = "GET", body: bytes | None = None, **more) -> Response:
        return fetch(self.address, target, fields, method, body, **more)

    def ready(self) -> Response:
        return fetch(self.admin, "/ready", host="localhost")

    def metrics(self) -> Metrics:
        reply = fetch(self.admin, "/metrics", host="localhost")
        assert reply.status == 200, reply
        return Metrics(reply.text)

    def total(self, metric: str, **labels) -> float:
        return self.metrics().total(metric, **labels)

    # ---- changing

    def reload(self, config=None, seconds: float = 10) -> "Reload":
        """Writes `config`, sends SIGHUP, and waits for the outcome (counted, as the log limits repetitions)."""
        if config is not None:
            self.write(config)
        before, since = self.reloads(), len(self.stderr())
        self.signal(signal.SIGHUP)
        after = until(lambda: (now := self.reloads()) != before and now, seconds, "the reload to be counted")
        return Reload(after["success"] > before["success"], self.log(since))

    def reloads(self) -> dict:
        metrics = self.metrics()
        return {result: metrics.total("sekisho_reloads_total", result=result) for result in ("success", "failure")}

    # ---- what it costs

    def rss(self) -> int:
        """Resident bytes now."""
        return self.status("VmRSS")

    def peak_rss(self) -> int:
        return self.status("VmHWM")

    def status(self, key: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
        raise KeyError(key)

    def descriptors(self) -> int:
        """Open ones; only root sees them of a process that hides its memory (`--allow-core-dumps`)."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def instrumented() -> bool:
    """Whether the binary carries a sanitizer, whose shadow memory makes RSS bounds meaningless."""
    return SLOW > 1 or b"__asan_init" in BINARY.read_bytes() or b"__tsan_init" in BINARY.read_bytes()


def raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
