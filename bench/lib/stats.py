"""Medians of paired ratios: both figures of a pair come from the same round, so that what slows the machine for
a while slows both."""

from statistics import median
from typing import NamedTuple


class Bar(NamedTuple):
    name: str
    value: float
    limit: float
    servers: list = []  # that a second run must measure again
    at_least: bool = False

    @property
    def ok(self):
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def paired(rounds, name, reference, figure):
    """rounds: a list of {server: {figure: value}}."""
    ratios = [r[name][figure] / r[reference][figure] for r in rounds if name in r and reference in r]
    return median(ratios) if ratios else None


def middle(rounds, name, figure):
    values = [r[name][figure] for r in rounds if name in r]
    return median(values) if values else None


def slope(points):
    """Of the least-squares line through [[x, y]…], in y per x."""
    x0, y0 = (sum(p[i] for p in points) / len(points) for i in (0, 1))
    return sum((x - x0) * (y - y0) for x, y in points) / sum((x - x0) ** 2 for x, _ in points)
