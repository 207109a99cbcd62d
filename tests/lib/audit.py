"""Reading the audit log, its rotated files too."""
import json
import re
from pathlib import Path


def lines(text: str) -> list:
    """Its records; every line must be whole but the last, which may be on its way."""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def files(path: Path) -> list:
    """The file and what it was rotated to, the oldest first."""
    old = [(int(match[1]), other) for other in path.parent.glob(path.name + ".*")
           if (match := re.fullmatch(re.escape(path.name) + r"\.(\d+)", other.name))]
    return [other for _, other in sorted(old, reverse=True)] + ([path] if path.exists() else [])


def records(path: Path) -> list:
    return [record for file in files(path) for record in lines(file.read_text())]
