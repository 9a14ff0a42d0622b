"""What time it is for the service."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

_DAY: Final = timedelta(days=1)


class Clock:
    """The business time decisions are made in.

    Parameters
    ----------
    mode
        ``system`` is the wall clock. ``published`` stands on the day after the published data, with the wall
        clock's time of day: values are then of one age with the models, and old data can be tried out.

    Examples
    --------
    >>> Clock("published").now(date(2017, 12, 31)).date().isoformat()
    '2018-01-01'
    """

    def __init__(self, mode: Literal["published", "system"]) -> None:
        self.mode = mode

    def now(self, as_of: date | None) -> datetime:
        """Return the business time, given the last day the published data hold."""
        wall = datetime.now(UTC)
        if self.mode == "system" or as_of is None:
            return wall
        day = as_of + _DAY
        return wall.replace(year=day.year, month=day.month, day=day.day)
