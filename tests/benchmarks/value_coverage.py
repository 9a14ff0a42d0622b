"""Coverage of predictive intervals on simulated customers, orders and value, three models.

``python -m tests.benchmarks.value_coverage [--customers N] [--check]``; with ``--check`` exit 1 when an
80 % or 95 % interval misses its level by more than 2 points. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date

from clv.intervals import futures
from clv.valuation import ValueConfig, ValueModel
from tests import simulated

BAR = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--data", help="not used: the customers are simulated")
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    figures, missed = {}, []
    for kind in ("bgnbd", "mbgnbd", "paretonbd"):
        table = simulated.customers(kind, asked.customers, seed=1)
        config = ValueConfig(kind=kind, annual_discount=0.0)
        model = ValueModel.fit(table, as_of=date(2026, 1, 1), config=config)
        drawn = futures(model, table, 365, draws=asked.draws, random_state=2)
        for what in ("orders", "value"):
            for level in (0.80, 0.95):
                actual, draws = table[what].to_numpy(), getattr(drawn, what)
                one = simulated.inside(actual, draws, level, seed=3)
                sums = simulated.sums_inside(actual, draws, level, 10, seed=7)
                print(f"{kind:10} {what:7} {level:.0%} interval: customer {one:.4f}, sums of ten {sums:.4f}")
                figures |= {f"{kind}.{what}.{level}": one, f"{kind}.{what}.{level}.sums": sums}
                missed += [
                    f"{kind} {what} {level:.0%}: {got:.4f}" for got in (one, sums) if abs(got - level) > BAR
                ]
    for line in missed:
        print(f"missed: coverage {line}")
    print(json.dumps({"customers": asked.customers, "coverage": figures, "missed": missed}))
    return 1 if asked.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
