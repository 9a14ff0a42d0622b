"""The tokens people sign in with: JWTs of one issuer, checked against its published keys.

RS256 and ES256 only; issuer, audience, start and end are checked; an unknown key id makes the issuer's keys
be read again, at most once in a minute.
"""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
import orjson

from clv.errors import SettingError
from serving.access.roles import ROLES
from serving.refusals import NotSignedIn
from serving.settings import LOOPBACK, SecuritySettings

ALGORITHMS: Final = ("RS256", "ES256")
SKEW_SECONDS: Final = 60
_AGAIN_SECONDS: Final = 60.0
_LONGEST: Final = 8192
_LARGEST_KEYS: Final = 262_144


class Tokens:
    """Checks tokens of one issuer.

    Parameters
    ----------
    settings
        Issuer, audience, where its keys are, and which claim holds the role.

    Raises
    ------
    SettingError
        If the issuer's keys would be read over an unprotected connection.
    """

    def __init__(self, settings: SecuritySettings) -> None:
        self._settings = settings
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        place = urlsplit(settings.jwks)
        if place.scheme == "http" and place.hostname not in LOOPBACK:
            raise SettingError(
                "The issuer's keys must come over https.", where="security.jwks", hint=settings.jwks
            )

    async def check(self, token: str) -> tuple[str, str]:
        """Return the subject and the role of a token.

        Raises
        ------
        NotSignedIn
            If it is not valid, not for us, or names no role of ours.
        """
        try:
            claims = await self._claims(token)
        except (jwt.PyJWTError, ValueError) as error:
            raise NotSignedIn("The token is not valid.", hint="Sign in again.") from error
        role = self._role(claims)
        if role is None:
            raise NotSignedIn("The token names no role.", hint=f"One of {', '.join(ROLES)} is wanted.")
        return str(claims["sub"]), role

    async def _claims(self, token: str) -> Mapping[str, Any]:
        if len(token) > _LONGEST:
            raise jwt.InvalidTokenError("too long")
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError("algorithm")
        key = await self._key(str(header.get("kid", "")))
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else [],
            issuer=self._settings.issuer,
            audience=self._settings.audience,
            leeway=SKEW_SECONDS,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        return claims

    async def _key(self, key_id: str) -> jwt.PyJWK:
        if key_id not in self._keys and time.monotonic() - self._read_at > _AGAIN_SECONDS:
            self._read_at = time.monotonic()
            self._keys = await asyncio.to_thread(read_keys, self._settings.jwks)
        if key_id not in self._keys:
            raise jwt.InvalidKeyError("unknown key")
        return self._keys[key_id]

    def _role(self, claims: Mapping[str, Any]) -> str | None:
        named = claims.get(self._settings.role_claim)
        given = [named] if isinstance(named, str) else named if isinstance(named, list) else []
        return next((role for role in ROLES if role in given and role != "machine"), None)


def read_keys(place: str) -> dict[str, jwt.PyJWK]:
    """Read the issuer's public keys, by key id, from an address or a file."""
    if urlsplit(place).scheme in {"http", "https"}:
        with urllib.request.urlopen(place, timeout=5) as answer:  # noqa: S310  (scheme checked above)
            raw = answer.read(_LARGEST_KEYS)
    else:
        raw = Path(place).read_bytes()
    found = {}
    for entry in orjson.loads(raw).get("keys", []):
        if entry.get("kty") in {"RSA", "EC"} and entry.get("use", "sig") == "sig" and entry.get("kid"):
            key = jwt.PyJWK(entry)
            found[str(entry["kid"])] = key
    return found
