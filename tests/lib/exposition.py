"""A small, strict parser of Prometheus' text format: what a scraper would accept, and no more."""
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


class Metrics:
    """samples: {(name, ((label, value), ...)): number}; types: {family: type}."""

    def __init__(self, text: str):
        self.samples, self.types, self.helps = {}, {}, {}
        assert text.endswith("\n"), "the exposition does not end with a line feed"
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ", 3)
                assert name not in self.types, f"{name} has two types"
                assert kind in ("counter", "gauge", "histogram", "summary", "untyped"), line
                self.types[name] = kind
            elif line.startswith("# HELP "):
                self.helps[line.split(" ", 3)[2]] = line
            elif line and not line.startswith("#"):
                self.sample(line)

    def sample(self, line: str) -> None:
        match = SAMPLE.fullmatch(line)
        assert match, f"not a sample: {line!r}"
        labels, rest = [], match[2] or ""
        while rest:
            label = LABEL.match(rest)
            assert label, f"not labels: {line!r}"
            labels.append((label[1], label[2]))
            rest = rest[label.end():]
        key = (match[1], tuple(sorted(labels)))
        assert key not in self.samples, f"twice: {line!r}"
        self.samples[key] = float(match[3])
        family = self.family(match[1])
        assert family in self.types, f"no TYPE before {line!r}"

    def family(self, name: str) -> str:
        for suffix in ("_bucket", "_sum", "_count"):
            if name.endswith(suffix) and self.types.get(name[: -len(suffix)]) == "histogram":
                return name[: -len(suffix)]
        return name

    def total(self, metric: str, **labels) -> float:
        """The sum over every series of `metric` that has these labels; 0 where there is none."""
        return sum(value for (key, pairs), value in self.samples.items()
                   if key == metric and labels.items() <= dict(pairs).items())

    def series(self, metric: str) -> list:
        return [dict(pairs) for (key, pairs) in self.samples if key == metric]

    def check_histograms(self) -> int:
        """Buckets rise, +Inf equals _count; returns how many histograms there are."""
        groups = {}
        for (name, pairs), value in self.samples.items():
            family = self.family(name)
            if self.types.get(family) != "histogram":
                continue
            labels = dict(pairs)
            bound = labels.pop("le", None)
            group = groups.setdefault((family, tuple(sorted(labels.items()))), {"buckets": []})
            if name.endswith("_bucket"):
                group["buckets"].append((math.inf if bound == "+Inf" else float(bound), value))
            else:
                group[name[len(family) + 1:]] = value
        for (family, labels), group in groups.items():
            bounds = [bound for bound, _ in group["buckets"]]
            counts = [count for _, count in group["buckets"]]
            assert bounds == sorted(bounds) and bounds[-1] == math.inf, f"{family}{labels}: bounds {bounds}"
            assert counts == sorted(counts), f"{family}{labels} falls: {counts}"
            assert counts[-1] == group["count"], f"{family}{labels}: +Inf is not _count"
            assert group["sum"] >= 0 and (group["count"] or group["sum"] == 0)
        return len(groups)
