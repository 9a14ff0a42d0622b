"""Processes that are made to be killed: a service over the small shop, and a publisher that never stops."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import uvicorn

from serving.app import create_app
from serving.settings import Settings
from tests.fakes import CUSTOMERS, open_shop, publish_shop


def publish_number(root: Path, number: int) -> None:
    """Publish the shop with the same number at every customer, by which a mixture would be seen."""
    everybody = [replace(one, value={**one.value, "predicted_clv": float(number)}) for one in CUSTOMERS]
    publish_shop(root, everybody)


def main(kind: str, var: str, port: str) -> None:
    """Run until killed."""
    if kind == "service":
        app = create_app(Settings(data={"data_dir": var}, serving={"log_level": "error"}), open_shop)
        uvicorn.run(app, port=int(port), log_level="error", access_log=False)
    number = 0
    while kind == "publisher":
        number += 1
        publish_number(Path(var) / "published", number)


if __name__ == "__main__":
    main(*sys.argv[1:])
