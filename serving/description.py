"""The API's own description, with how to sign in where sign-in is asked for."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from serving.access.roles import OPEN

_SCHEME: Final = "key"
_KEY: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key made with `clv keys add`, or a token of the sign-in service.",
}


def described(app: FastAPI, *, sign_in: bool) -> dict[str, Any]:
    """Return the OpenAPI description.

    Parameters
    ----------
    app
        Whose routes are described.
    sign_in
        Whether who asks must say who they are; then every route but the open ones says so.
    """
    if app.openapi_schema is None:
        schema = FastAPI.openapi(app)
        if sign_in:
            schema.setdefault("components", {})["securitySchemes"] = {_SCHEME: _KEY}
            for path, methods in schema["paths"].items():
                for method, operation in methods.items():
                    if (method.upper(), path) not in OPEN:
                        operation["security"] = [{_SCHEME: []}]
    return app.openapi_schema or {}
