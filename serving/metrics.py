"""What is counted and timed, in numbers a Prometheus can fetch.

Everything is counted on the event loop, so that no lock is needed; text is made only when it is fetched.
Whichever worker is asked answers for all of them.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from recommend.decision import Decision, Stage

BOUNDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_COUNTED: Final = {
    "clv_requests": ("Requests.", ["method", "route", "status"]),
    "clv_decisions": ("Decisions by what came of them.", ["outcome"]),
    "clv_refused_offers": ("Offers held back, by stage.", ["stage"]),
    "clv_events": ("Events by how they were taken.", ["verdict"]),
}
STAGES: Final = ("profile", "decide", "log", "whole")


class Timing:
    """How often something took how long."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


@dataclass(frozen=True, slots=True)
class Figures:
    """What one worker counted, in a form that is written to a file and added up.

    Parameters
    ----------
    worker
        Its process.
    counts
        By name and labels.
    timings
        By stage: how often within each bound, and seconds in all.
    gauges
        What it shows just now, by name.
    """

    worker: int
    counts: list[tuple[str, list[str], int]]
    timings: dict[str, tuple[list[int], float]]
    gauges: dict[str, float]


class Metrics(Collector):
    """Everything counted in this process, and shown together with what the service's other workers counted.

    Parameters
    ----------
    others
        Returns the figures of the other workers, dead ones included: what they counted stays counted.
    """

    def __init__(self, others: Callable[[], Sequence[Figures]] = tuple) -> None:
        self.stages = {stage: Timing() for stage in STAGES}
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.decisions: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self.running = 0
        self._others = others
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def count_decision(self, decision: Decision, dropped: Mapping[Stage, int]) -> None:
        """Count a decision by what came of it, and what it dropped by stage."""
        outcome = "hints" if decision.hints else "control" if decision.arm == "control" else "silence"
        self.decisions[outcome] += 1
        for stage, count in dropped.items():
            self.refused[stage] += count

    def figures(self) -> Figures:
        """Return what this worker counted so far."""
        counts = [("clv_requests", [*labels], count) for labels, count in self.requests.items()]
        for name, counter in self._counters().items():
            counts += [(name, [value], count) for value, count in counter.items()]
        return Figures(
            os.getpid(),
            counts,
            {stage: (timing.counts, timing.seconds) for stage, timing in self.stages.items()},
            {name: float(read()) for name, (_, read) in self.gauges.items()},
        )

    def _counters(self) -> dict[str, Counter[str]]:
        return {
            "clv_decisions": self.decisions,
            "clv_refused_offers": self.refused,
            "clv_events": self.events,
        }

    def collect(self) -> Iterator[Metric]:
        """Yield every metric for Prometheus: the counts of all workers together, the gauges of each."""
        found = [self.figures(), *self._others()]
        timing = HistogramMetricFamily("clv_stage_seconds", "Time by stage of an answer.", labels=["stage"])
        for stage in STAGES:
            shares = [one.timings[stage] for one in found if stage in one.timings]
            counts = [sum(column) for column in zip(*(counts for counts, _ in shares), strict=True)]
            timing.add_metric([stage], _cumulated(counts), sum(seconds for _, seconds in shares))
        yield timing
        summed: dict[str, Counter[tuple[str, ...]]] = {name: Counter() for name in _COUNTED}
        for one in found:
            for name, labels, count in one.counts:
                summed[name][tuple(labels)] += count
        for name, (about, labels) in _COUNTED.items():
            family = CounterMetricFamily(name, about, labels=labels)
            for values, count in summed[name].items():
                family.add_metric([*values], count)
            yield family
        for name, (about, _) in self.gauges.items():
            gauge = GaugeMetricFamily(name, about, labels=["worker"])
            for one in found:
                if name in one.gauges:
                    gauge.add_metric([str(one.worker)], one.gauges[name])
            yield gauge

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)


def _cumulated(counts: Sequence[int]) -> list[tuple[str, float]]:
    """Return how often something took at most so long, for each bound."""
    bounds = (*map(str, BOUNDS), "+Inf")
    return [(bound, float(total)) for bound, total in zip(bounds, accumulate(counts), strict=True)]
