"""The door to the command line: opens before anything heavy loads, and names a missing library."""

from __future__ import annotations

import gc
import sys

from models.deferred import lighten


def main() -> None:
    """Run ``clv``; without OpenMP's runtime, which LightGBM loads, name the cure instead of tracing.

    Ctrl-C ends it as quietly while it still loads as later.
    """
    gc.disable()  # what loads is kept: searching it for garbage, over and over, takes a tenth of the time
    try:
        if sys.argv[1:2] == ["serve"]:
            lighten()
        from pipelines.cli import main as run  # noqa: PLC0415  (its imports are what may fail)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as missing:
        sys.exit(
            f"A native library is missing: {missing}. Hint: install libgomp1 (apt-get install libgomp1)."
        )
    finally:
        gc.enable()
    run()
