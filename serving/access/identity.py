"""Who asks: the holder of a key, a person with a token, or whoever sits at this machine."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from serving.refusals import NotSignedIn, Unavailable
from serving.store.keys import Key, digest_of

if TYPE_CHECKING:
    from serving.access.tokens import Tokens

_KEY: Final = re.compile(r"clv_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_FRESH_SECONDS: Final = 1.0
_AHEAD_SECONDS: Final = 0.5  # from when on the next reading begins, so that nobody waits for it


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who asks.

    Parameters
    ----------
    subject
        Who: the owner of a key, or the subject of a token.
    role
        What they are.
    scopes
        What they may beyond their role.
    """

    subject: str
    role: str
    scopes: tuple[str, ...] = ()


LOCAL: Final = Identity("local", "admin")


class Doorkeeper:
    """Tells who asks from what they present.

    Parameters
    ----------
    secret
        Of this installation; keys are kept as hashes keyed with it.
    read_keys
        Reads all keys from the store; asked every second, so that a revoked key ends everywhere within one.
    tokens
        Checks tokens; None if people do not sign in with them.
    """

    def __init__(
        self, secret: bytes, read_keys: Callable[[], dict[str, Key]], tokens: Tokens | None = None
    ) -> None:
        self._secret = secret
        self._marking = hashlib.blake2b(digest_size=16, key=secret[:64])
        self._read_keys = read_keys
        self._tokens = tokens
        self._keys: dict[str, Key] = {}
        self._recognised: dict[bytes, tuple[Key, Identity]] = {}
        self._read_at = float("-inf")
        self._ever_read = False
        self._reading = asyncio.Lock()
        self._ahead: asyncio.Task[None] | None = None

    async def who(self, authorization: str) -> Identity:
        """Return who presents an Authorization header.

        Raises
        ------
        NotSignedIn
            If nothing, or nothing valid, is presented. It is not said which of the two.
        """
        scheme, _, presented = authorization.partition(" ")
        if scheme.lower() != "bearer" or not presented:
            raise NotSignedIn("Sign in first.", hint="Authorization: Bearer KEY, or a token of your sign-in.")
        found = _KEY.fullmatch(presented)
        if found:
            await self.refresh()
            return self._holder(found[1], found[2])
        if self._tokens is not None:
            return Identity(*await self._tokens.check(presented))
        raise NotSignedIn("The key is not valid.", hint="Ask an administrator for a new one.")

    @property
    def fresh(self) -> bool:
        """Whether the keys were read within the last second."""
        return self._age < _FRESH_SECONDS

    @property
    def _age(self) -> float:
        return time.monotonic() - self._read_at

    async def refresh(self) -> None:
        """Read the keys again if the last reading is a second old; keep the old ones if it fails.

        Raises
        ------
        Unavailable
            If they could not be read yet, not once.
        """
        async with self._reading:
            if self.fresh and self._ever_read:
                return
            try:
                await self._read()
            except Unavailable:
                if not self._ever_read:  # nobody can be told from anybody: that is no bad try
                    raise

    async def _read(self) -> None:
        try:
            self._keys = await asyncio.to_thread(self._read_keys)
        finally:
            self._read_at = time.monotonic()
        self._ever_read = True
        self._recognised = {}

    async def _read_ahead(self) -> None:
        """Read the keys again while the last reading still holds; the old ones stay if that fails."""
        async with self._reading:
            if self._age > _AHEAD_SECONDS:
                with contextlib.suppress(Unavailable):
                    await self._read()

    def holder(self, authorization: bytes) -> Identity | None:
        """Return the holder of a valid key; None for everything else, which :meth:`who` has to look at.

        A key is checked in full once after each reading of the keys; until the next one it is known again by
        the hash of the header, and only its end is looked at.
        """
        age = self._age
        if age >= _FRESH_SECONDS:
            return None
        if age > _AHEAD_SECONDS and (self._ahead is None or self._ahead.done()):
            self._ahead = asyncio.create_task(self._read_ahead())
        marking = self._marking.copy()
        marking.update(authorization)
        mark = marking.digest()
        known = self._recognised.get(mark)
        if known is None:
            scheme, _, presented = authorization.decode("latin-1").partition(" ")
            found = _KEY.fullmatch(presented) if scheme.lower() == "bearer" else None
            try:
                who = self._holder(found[1], found[2]) if found else None
            except NotSignedIn:
                who = None
            if found is None or who is None:
                return None
            known = self._recognised[mark] = (self._keys[found[1]], who)
        key, who = known
        return who if key.valid(time.time_ns() // 1000) else None

    def _holder(self, key_id: str, password: str) -> Identity:
        key = self._keys.get(key_id)
        digest = digest_of(self._secret, password)
        if (
            key is None
            or not hmac.compare_digest(key.digest, digest)
            or not key.valid(time.time_ns() // 1000)
        ):
            raise NotSignedIn("The key is not valid.", hint="Ask an administrator for a new one.")
        return Identity(key.owner, key.role, key.scopes)
