"""A bare FastAPI route: what the framework costs before anything of ours."""

from __future__ import annotations

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def nothing() -> dict[str, str]:
    """Return next to nothing."""
    return {"answer": "nothing"}
