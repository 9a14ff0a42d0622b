"""The tokens people sign in with: JWTs of one issuer, checked against its published keys.

RS256 and ES256 only; issuer, audience, start and end are checked. An unknown key id makes the issuer's keys
be read again, at most once in a minute; one it has withdrawn opens nothing after ten.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
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

log = logging.getLogger("clv.serving")

ALGORITHMS: Final = ("RS256", "ES256")
SKEW_SECONDS: Final = 60
_AGAIN_SECONDS: Final = 60.0  # for an unknown key
_STALE_SECONDS: Final = 600.0  # for a known one, which the issuer may have withdrawn
_LONGEST: Final = 8192
_LONGEST_SUBJECT: Final = 200
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
        If audience or keys of the issuer are missing, or would be read over an unprotected connection.
    """

    def __init__(self, settings: SecuritySettings) -> None:
        self._settings = settings
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        for name in ("audience", "jwks"):
            if not getattr(settings, name):
                hint = "Without it nobody could sign in with a token."
                raise SettingError("An issuer is named and this is not.", where=f"security.{name}", hint=hint)
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
        subject = str(claims["sub"])
        if not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
            raise NotSignedIn("The token's subject cannot be used.", hint="Sign in again.")
        return subject, role

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
        """Return a key of the issuer's; they are read again when one is unknown, and every few minutes."""
        async with self._reading:
            age = time.monotonic() - self._read_at
            if age > (_STALE_SECONDS if key_id in self._keys else _AGAIN_SECONDS):
                self._read_at = time.monotonic()
                try:
                    self._keys = await asyncio.to_thread(read_keys, self._settings.jwks)
                except (OSError, ValueError) as error:  # the issuer is away: the keys we know go on
                    log.warning("keys of the issuer not read", extra={"facts": {"why": type(error).__name__}})
        if key_id not in self._keys:
            raise jwt.InvalidKeyError("unknown key")
        return self._keys[key_id]

    def _role(self, claims: Mapping[str, Any]) -> str | None:
        named = claims.get(self._settings.role_claim)
        given = [named] if isinstance(named, str) else named if isinstance(named, list) else []
        return next((role for role in ROLES if role in given and role != "machine"), None)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from where the settings say, over https, and from nowhere they point to."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401  (the library's own signature)
        """Refuse."""


_OPENER: Final = urllib.request.build_opener(_NoRedirect)


def read_keys(place: str) -> dict[str, jwt.PyJWK]:
    """Read the issuer's public keys, by key id, from an address or a file, without what cannot be used.

    Raises
    ------
    OSError
        If there is no answer.
    ValueError
        If the answer is no key set.
    """
    if urlsplit(place).scheme in {"http", "https"}:
        with _OPENER.open(place, timeout=5) as answer:
            raw = answer.read(_LARGEST_KEYS)
    else:
        raw = Path(place).read_bytes()
    listed = orjson.loads(raw)
    entries = listed.get("keys") if isinstance(listed, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no key set")  # noqa: TRY004  (as what is no JSON at all)
    found = {}
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("kty") not in {"RSA", "EC"}:
            continue
        if entry.get("use", "sig") == "sig" and entry.get("kid"):
            with contextlib.suppress(jwt.PyJWTError):  # of a kind we do not know: the others still hold
                found[str(entry["kid"])] = jwt.PyJWK(entry)
    return found
