"""Who takes up an offer, from a plain table of presentations in order of time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clv.errors import DataError, TooLittleData
from recommend.baskets import Floats
from recommend.calibration import ChannelCalibration, calibrate_channels
from recommend.encoders import Encoder
from recommend.propensity import Trees, grow

if TYPE_CHECKING:
    import pandas as pd

SETTINGS: dict[str, object] = {"num_leaves": 15, "min_data_in_leaf": 100, "learning_rate": 0.04}
_LEAST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Uptake:
    """A calibrated model of acceptance over the columns of a table.

    Parameters
    ----------
    encoder, trees, calibration
        From columns to numbers, to a raw probability, to one that keeps its promise per channel.
    """

    encoder: Encoder
    trees: Trees
    calibration: ChannelCalibration

    @classmethod
    def fit(
        cls,
        table: pd.DataFrame,
        happened: Floats,
        columns: Sequence[str],
        *,
        channels: Sequence[str] | None = None,
        shares: tuple[float, float] = (0.15, 0.25),
        random_state: int = 0,
        num_threads: int = 1,
    ) -> Uptake:
        """Learn on the earlier rows, stop on later ones, calibrate on the last.

        Parameters
        ----------
        table
            One row per presentation, in order of time.
        happened
            Shape (rows): 1 if it was taken up, else 0.
        columns
            What was known before each presentation; never anything learnt during or after it.
        channels
            Shape (rows): where each was presented; gives each channel its own calibration.
        shares
            Shares of the rows to stop on and to calibrate on.

        Raises
        ------
        DataError
            If table and outcomes differ in length.
        TooLittleData
            If a slice lacks one of the two outcomes, or there are fewer than 200 rows.
        """
        if len(table) != len(happened):
            raise DataError("Rows and outcomes differ in number.", hint="Give one outcome per row.")
        n = len(table)
        if n < _LEAST_ROWS:
            raise TooLittleData(f"{n} presentations are too few.", hint=f"Give at least {_LEAST_ROWS}.")
        first, second = round(n * (1 - sum(shares))), round(n * (1 - shares[1]))
        encoder = Encoder.of(table.iloc[:first], happened[:first], columns)
        rows = encoder.rows(table)
        trees = grow(
            rows[:first],
            happened[:first],
            rows[first:second],
            happened[first:second],
            encoder.columns,
            random_state=random_state,
            num_threads=num_threads,
            settings=SETTINGS,
        )
        place = [""] * n if channels is None else list(channels)
        raw = trees.probability(rows[second:])
        return cls(encoder, trees, calibrate_channels(raw, happened[second:], place[second:]))

    def probability(self, table: pd.DataFrame, channel: str = "") -> Floats:
        """Return the calibrated chance of acceptance of each row, presented in a channel."""
        return self.calibration(self.trees.probability(self.encoder.rows(table)), channel)

    def recalibrated(self, table: pd.DataFrame, happened: Floats) -> Uptake:
        """Return the same trees calibrated on newer rows: the cure for a drifting base rate."""
        raw = self.trees.probability(self.encoder.rows(table))
        return Uptake(self.encoder, self.trees, calibrate_channels(raw, happened, [""] * len(table)))

    def save(self, folder: Path) -> None:
        """Write JSON and LightGBM text."""
        folder.mkdir(parents=True, exist_ok=True)
        self.trees.save(folder / "uptake.txt")
        head = {"encoder": self.encoder.as_json(), "calibration": self.calibration.as_json()}
        (folder / "uptake.json").write_text(json.dumps(head, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Uptake:
        """Read what :meth:`save` wrote; no code is run."""
        head = json.loads((folder / "uptake.json").read_text(encoding="utf-8"))
        return cls(
            Encoder.from_json(head["encoder"]),
            Trees.load(folder / "uptake.txt"),
            ChannelCalibration.from_json(head["calibration"]),
        )
