"""Who gets no prompt, so that what prompts earn can be measured for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from clv.errors import SettingError
from recommend.decision import Arm

_WHOLE = 2**64


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """A share of customers held out, drawn anew each month by a hash that anybody can repeat.

    Parameters
    ----------
    share
        Of all customers, 0 to below 1.
    salt
        Names the draw: another salt holds out other customers.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> group = ControlGroup(share=0.1)
    >>> days = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 32)]
    >>> len({group.arm("ann", day) for day in days})
    1
    """

    share: float = 0.10
    salt: str = "prompts"

    def __post_init__(self) -> None:
        """Refuse a share that leaves nobody to prompt."""
        if not 0 <= self.share < 1:
            raise SettingError(
                f"The control group's share is {self.share}.",
                where="control.share",
                hint="At least 0, below 1.",
            )

    def position(self, customer_id: str, at: datetime) -> float:
        """Return where the hash puts a customer in the month of ``at``, 0 to below 1, evenly spread."""
        key = f"{customer_id}\x1f{self.salt}\x1f{at.year}-{at.month:02}".encode()
        return int.from_bytes(blake2b(key, digest_size=8).digest()) / _WHOLE

    def arm(self, customer_id: str, at: datetime) -> Arm:
        """Return the arm of a customer in the month of ``at``."""
        return "control" if self.position(customer_id, at) < self.share else "treatment"
