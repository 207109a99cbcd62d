"""Waiting without sleeping blindly: every wait polls for what it waits for, under a deadline."""
import os
import time

# A sanitizer build is several times slower; SEKISHO_SLOW=5 stretches every deadline.
SLOW = float(os.environ.get("SEKISHO_SLOW", "1"))

PAUSE = 0.002


def patience(seconds: float) -> float:
    """A deadline of `seconds` on the machine at hand."""
    return seconds * SLOW


def until(probe, seconds: float = 10, what: str = "the awaited state"):
    """The first true value that probe() returns; AssertionError when there is none in time."""
    end = time.monotonic() + patience(seconds)
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience(seconds):g} s: {what}")
        time.sleep(PAUSE)


def holds(probe, seconds: float) -> bool:
    """Whether probe() stays true for `seconds`: for the few promises that something does not happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not probe():
            return False
        time.sleep(PAUSE)
    return True
