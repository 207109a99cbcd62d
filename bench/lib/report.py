"""What the bench leaves: tables for people (Markdown, so that they paste into the documentation), one JSON file
with every raw round, and one line per bar."""

import json
import os
import platform
import subprocess
import unicodedata


def print_table(rows):
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]))]
    for index, row in enumerate(rows):
        cells = [_pad(cell, width, left=i == 0) for i, (cell, width) in enumerate(zip(row, widths))]
        print("| " + " | ".join(cells) + " |")
        if index == 0:
            print("|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|")
    print(flush=True)


def _width(text):
    return sum(1 for c in text if not unicodedata.combining(c))


def _pad(text, width, left):
    space = " " * (width - _width(text))
    return text + space if left else space + text


def machine():
    with open("/proc/cpuinfo") as f:
        models = [line.partition(":")[2].strip() for line in f if line.startswith("model name")]
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) * 1024
    return {"cpu": models[0] if models else platform.machine(), "cores": len(os.sched_getaffinity(0)),
            "kernel": platform.release(), "memory": memory}


def commit(root):
    def git(*arguments):
        return subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True).stdout.strip()

    return {"id": git("rev-parse", "HEAD"), "changed": bool(git("status", "--porcelain", "--untracked-files=no"))}


def peer_versions(folder):
    """Of Debian's packages, and of what scripts/peers has brought (its stamps are named NAME-VERSION)."""
    query = ["dpkg-query", "-W", "-f=${Package} ${Version}\\n", "wrk", "nginx-light", "haproxy", "varnish"]
    lines = subprocess.run(query, capture_output=True, text=True).stdout.splitlines()
    versions = dict(line.split() for line in lines if " " in line)
    for stamp in os.listdir(folder) if os.path.isdir(folder) else []:
        if stamp.startswith("."):
            name, _, version = stamp[1:].partition("-")
            versions[name] = version
    return versions


def write_json(path, data):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w") as f:
        json.dump(data, f, indent=1)
        f.write("\n")


def bar_line(bar):
    sign = "at least " if bar.at_least else ""
    return f"{bar.name} {bar.value:.3f} {sign}{bar.limit:g} {'ok' if bar.ok else 'miss'}"
