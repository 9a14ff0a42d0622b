"""What is counted and timed, in numbers a Prometheus can fetch.

Everything is counted on the event loop, so that no lock is needed; text is made only when it is fetched.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from recommend.decision import Decision

BOUNDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
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

    def cumulated(self) -> list[tuple[str, float]]:
        """Return how often it took at most so long, for each bound."""
        total, found = 0, []
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


class Metrics(Collector):
    """Everything counted in this process."""

    def __init__(self) -> None:
        self.stages = {stage: Timing() for stage in STAGES}
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.decisions: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self.running = 0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def count_decision(self, decision: Decision, *, logged: bool) -> None:
        """Count a decision by what came of it, and what it refused by stage."""
        outcome = "hints" if decision.hints else "control" if decision.arm == "control" else "silence"
        self.decisions[outcome] += 1
        if not logged:
            self.decisions["not_logged"] += 1
        for stage, count in decision.dropped().items():
            self.refused[stage] += count

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, for the text Prometheus reads."""
        worker = str(os.getpid())
        timing = HistogramMetricFamily(
            "clv_stage_seconds", "Time by stage of an answer.", labels=["stage", "worker"]
        )
        for stage, found in self.stages.items():
            timing.add_metric([stage, worker], found.cumulated(), found.seconds)
        yield timing
        requests = CounterMetricFamily(
            "clv_requests", "Requests.", labels=["method", "route", "status", "worker"]
        )
        for labels, count in self.requests.items():
            requests.add_metric([*labels, worker], count)
        yield requests
        for name, about, label, counter in (
            ("clv_decisions", "Decisions by what came of them.", "outcome", self.decisions),
            ("clv_refused_offers", "Offers held back, by stage.", "stage", self.refused),
            ("clv_events", "Events by how they were taken.", "verdict", self.events),
        ):
            family = CounterMetricFamily(name, about, labels=[label, "worker"])
            for value, count in counter.items():
                family.add_metric([value, worker], count)
            yield family
        for name, (about, read) in self.gauges.items():
            gauge = GaugeMetricFamily(name, about, labels=["worker"])
            gauge.add_metric([worker], read())
            yield gauge

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
