"""The application as a server runs it: alone in its process, whose memory it may arrange."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from models.deferred import lighten

if TYPE_CHECKING:
    from fastapi import FastAPI


def own_process() -> FastAPI:
    """Load and make the application.

    What loads is kept: searching it for garbage, over and over, would take a tenth of the start.
    """
    gc.disable()
    try:
        lighten()
        from serving.app import create_app  # noqa: PLC0415  (its imports are what takes so long)

        app = create_app()
    finally:
        gc.enable()
    app.state.service.owns_process = True
    return app
