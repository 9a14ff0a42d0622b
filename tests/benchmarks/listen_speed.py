"""How long does it take to read one chat message, with a catalogue of some size to find names in?

``python -m tests.benchmarks.listen_speed [--data DIR] [--check]`` reads every labelled sentence of the tests
many times: with no catalogue, with 2,000 names and with 90,000; and long messages of 400 characters. It
prints microseconds a message, and the share of labels met. ``--check`` exits 1 if one message in a hundred
takes 1 ms or more. ``--data`` is accepted for uniformity: nothing outside is read.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from recommend.ear import SENTENCES, WORDS
from recommend.examples import examples
from recommend.lexicon import Lexicon
from recommend.listen import listen

LISTENING = Path(__file__).parents[1] / "listening"
HELD_OUT = LISTENING / "held_out.tsv"
NOUNS = [
    "milk",
    "bread",
    "cheese",
    "soap",
    "lamp",
    "rope",
    "paint",
    "nail",
    "towel",
    "candle",
    "spice",
    "noodle",
    "sauce",
    "pen",
    "cable",
    "tent",
    "sock",
    "tea",
]
KINDS = [
    "green",
    "dark",
    "soft",
    "whole",
    "mini",
    "royal",
    "fresh",
    "blue",
    "alpine",
    "river",
    "smoked",
    "salted",
    "light",
    "extra",
    "classic",
    "crisp",
]
MAKES = [
    "acme",
    "borealis",
    "cedar",
    "dorado",
    "elm",
    "fjord",
    "garnet",
    "harbor",
    "indigo",
    "jasper",
    "kestrel",
    "lumen",
    "meadow",
    "nimbus",
    "opal",
]


def catalogue(size: int) -> dict[str, list[str]]:
    """Return names made up of a make, a kind, a noun and a number."""
    rng = np.random.default_rng(1)
    parts = [rng.choice(words, size) for words in (MAKES, KINDS, KINDS, NOUNS)]
    return {
        f"P{i}": [f"{make} {one} {two} {noun} {i}"]
        for i, (make, one, two, noun) in enumerate(zip(*parts, strict=True))
    }


def sentences(path: Path) -> list[dict[str, str]]:
    """Return the labelled sentences of one file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def microseconds(texts: list[str], lexicon: Lexicon, repeats: int) -> dict[str, float]:
    """Return median, 99th percentile and worst time of a message, the best of some repeats each."""
    best = np.full(len(texts), np.inf)
    for _ in range(repeats):
        for i, text in enumerate(texts):
            start = time.perf_counter_ns()
            listen(text, lexicon)
            best[i] = min(best[i], (time.perf_counter_ns() - start) / 1000)
    return {
        "median": round(float(np.median(best)), 1),
        "p99": round(float(np.quantile(best, 0.99)), 1),
        "worst": round(float(best.max()), 1),
    }


def accuracy(rows: Sequence[Mapping[str, str]], lexicon: Lexicon) -> dict[str, float]:
    """Return the share of labels met per field; sentences without a topic label do not count for topics."""
    met = {}
    for field in ("intent", "topic", "sentiment"):
        asked = [row for row in rows if field != "topic" or row["topic"]]
        right = sum(getattr(listen(row["text"], lexicon), field) in row[field].split("|") for row in asked)
        met[field] = round(right / len(asked), 3)
    return met


def main() -> int:
    """Run the benchmark and print its result as one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    rows = sentences(HELD_OUT)
    texts = [row["text"] for row in rows]
    long = [(" ".join(texts[i:] + texts[:i]))[:400] for i in range(0, len(texts), 8)]
    times: dict[str, dict[str, float]] = {}
    for size in (0, 2_000, 90_000):
        lexicon = Lexicon.build(catalogue(size))
        times[f"{size} names"] = microseconds(texts, lexicon, 7)
        times[f"{size} names, 400 characters"] = microseconds(long, lexicon, 3)
    plain = Lexicon.build()
    result = {
        "benchmark": "listen_speed",
        "messages": len(texts),
        "microseconds": times,
        "held_out": accuracy(rows, plain),
        "held_out_by_language": {
            language: accuracy([row for row in rows if row["language"] == language], plain)
            for language in ("en", "zh-Hans", "zh-Hant", "mixed")
        },
        "varied": accuracy(sentences(LISTENING / "varied.tsv"), plain),
        "sealed": accuracy(sentences(LISTENING / "sealed.tsv"), plain),
        "examples_learned_from": accuracy([one._asdict() for one in examples(SENTENCES, WORDS)[::5]], plain),
    }
    result["passed"] = all(time["p99"] < 1_000 for name, time in times.items() if "characters" not in name)
    print(json.dumps(result))
    return int(arguments.check and not result["passed"])


if __name__ == "__main__":
    sys.exit(main())
