"""A measured process: started on one core, watched from outside, stopped by its own id."""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
NOBODY = 65534
_libc = ctypes.CDLL(None)


class BenchError(Exception):
    """Something that makes the whole run worthless; told in one line."""


def free_port():
    return free_ports(1)[0]


def free_ports(count):
    """All of them different."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def _tree(root):
    """root and its descendants."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as f:
                parent = int(f.read().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


class Process:
    """Usable as a context manager. `core` None leaves it unpinned. A process that outlives a killed bench gets
    SIGTERM from the kernel."""

    def __init__(self, argv, core=None, log=None, env=None, cwd=None, unprivileged=False):
        self.name = os.path.basename(argv[0])
        self.log = log
        nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if unprivileged and os.getuid() == 0 else {}

        def prepare():
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if core is not None:
                os.sched_setaffinity(0, {core})
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

        out = open(log, "wb") if log else subprocess.DEVNULL
        self.popen = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, cwd=cwd,
            env=None if env is None else {**os.environ, **env}, preexec_fn=prepare, **nobody)
        self.pid = self.popen.pid
        if log:
            out.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_for_port(self, port, seconds=20):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.popen.poll() is not None:
                raise BenchError(f"{self.name} ended at once with {self.popen.returncode}: {self.last_words()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.02)
        raise BenchError(f"{self.name} does not listen after {seconds} s: {self.last_words()}")

    def wait_for_line(self, line, seconds):
        """Until the log has the line."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ended = self.popen.poll() is not None
            with open(self.log) as f:
                if line in f.read().splitlines():
                    return
            if ended:
                raise BenchError(f"{self.name} ended early: {self.last_words()}")
            time.sleep(0.02)
        raise BenchError(f"{self.name} did not say {line!r} within {seconds} s")

    def wait(self, seconds):
        """Until it ends by itself; its exit code."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{self.name} did not end within {seconds:.0f} s: {self.last_words()}") from None

    def signal(self, number):
        """To it and all that it has started."""
        for pid in _tree(self.pid):
            os.kill(pid, number)

    def last_words(self):
        with contextlib.suppress(OSError, TypeError), open(self.log, errors="replace") as f:
            return " | ".join(f.read().strip().splitlines()[-3:])
        return "(no output)"

    def stop(self):
        if self.popen.poll() is None:
            family = _tree(self.pid)
            self.popen.terminate()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
                for pid in family[1:]:  # orphans of a parent that had to be killed
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
        if self.popen.stdin:
            with contextlib.suppress(OSError):
                self.popen.stdin.close()

    def cpu(self):
        """CPU seconds (user and system, all threads, to the nanosecond) by process of the tree: each one's CPU
        clock, as clock_getcpuclockid(3) names it; /proc/PID/stat has the same at 10 ms."""
        times = {}
        for pid in _tree(self.pid):
            with contextlib.suppress(OSError):
                times[pid] = time.clock_gettime((~pid << 3) | 2)
        return times

    def cpu_since(self, before):
        return sum(t - before.get(pid, 0.0) for pid, t in self.cpu().items())

    def _memory(self, field):
        kib = 0
        for pid in _tree(self.pid):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as f:
                kib += sum(int(line.split()[1]) for line in f if line.startswith(field))
        return kib * 1024

    def rss(self):
        return self._memory("VmRSS:")

    def peak_rss(self):
        """The most since the start, or since reset_peak()."""
        return self._memory("VmHWM:")

    def reset_peak(self):
        for pid in _tree(self.pid):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/clear_refs", "w") as f:
                f.write("5")
