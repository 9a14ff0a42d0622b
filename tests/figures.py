"""Where tests put what they measured, for whoever runs them at full length."""

from __future__ import annotations

import json
import os
from pathlib import Path


def tell(record_property, **figures: object) -> None:
    """Put figures beside the test's result, and where `make test-faults` collects them."""
    for name, figure in figures.items():
        record_property(name, figure)
    summary = os.environ.get("CLV_FAULT_SUMMARY")
    if summary:
        with Path(summary).open("a") as file:
            test = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].rsplit(" ", 1)[0]
            file.write(json.dumps({"test": test, **figures}) + "\n")
