"""What one customer bought when, by item, in the compact form the live service reads in microseconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class History:
    """A customer's baskets as of a day.

    Parameters
    ----------
    order_days
        Days since 1970-01-01 of each basket, ascending.
    items
        The distinct items bought.
    positions
        For each item, the indices into ``order_days`` of the baskets that held it, ascending.
    places
        Store or branch of each basket, empty where not known; none at all where nobody says.
    """

    order_days: tuple[int, ...] = ()
    items: tuple[str, ...] = ()
    positions: tuple[tuple[int, ...], ...] = ()
    places: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the history as plain lists."""
        plain: dict[str, object] = {"order_days": self.order_days, "items": self.items}
        plain["positions"] = self.positions
        return plain | ({"places": self.places} if self.places else {})

    @classmethod
    def from_json(cls, raw: dict[str, list[object]]) -> History:
        """Read what :meth:`as_json` wrote."""
        return cls(
            order_days=tuple(raw["order_days"]),  # type: ignore[arg-type]
            items=tuple(raw["items"]),  # type: ignore[arg-type]
            positions=tuple(map(tuple, raw["positions"])),  # type: ignore[arg-type]
            places=tuple(raw.get("places", ())),  # type: ignore[arg-type]
        )
