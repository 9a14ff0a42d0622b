"""Every error this project raises on purpose, in one tree.

::

    ClvError                    what happened, where, and what to do about it
    ├── DataError               the data handed in cannot be used as they are
    │   ├── MissingColumn       a required column is not there, under any of its known names
    │   ├── MixedCurrency       amounts in two currencies would be summed
    │   └── TooLittleData       the answer would be a guess
    ├── ModelError              a model cannot do what was asked
    │   ├── NotFitted           predict before fit
    │   └── NotIdentified       the data do not determine the parameters
    ├── RuleError               an engagement or segment rule does not parse or names an unknown field
    ├── BundleError             a folder of model files is not what its manifest says
    │   ├── TamperedBundle      a file's hash differs from the manifest
    │   └── UnknownFormat       written by a newer major format than this version reads
    ├── RegistryError           the model registry cannot be reached or does not hold what was asked
    ├── SnapshotError           a published generation is missing or broken
    ├── SettingError            a setting is unknown or out of its range
    └── StepError               a pipeline step lacks what an earlier step should have made

A message says what, ``where`` names file, row or column, ``hint`` says what to do.
"""

from __future__ import annotations

__all__ = [
    "BundleError",
    "ClvError",
    "DataError",
    "MissingColumn",
    "MixedCurrency",
    "ModelError",
    "NotFitted",
    "NotIdentified",
    "RegistryError",
    "RuleError",
    "SettingError",
    "SnapshotError",
    "StepError",
    "TamperedBundle",
    "TooLittleData",
    "UnknownFormat",
]


class ClvError(Exception):
    """Something this project can explain.

    Parameters
    ----------
    what
        One sentence on what is wrong.
    where
        File, row, column, customer or rule it concerns; empty when it concerns the whole.
    hint
        What the reader can do about it.

    Examples
    --------
    >>> print(ClvError("Amount is not a number.", where="orders.csv, line 7", hint="Write 12.50."))
    Amount is not a number. (orders.csv, line 7) Hint: Write 12.50.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        advice = f" Hint: {self.hint}" if self.hint else ""
        return f"{self.what}{place}{advice}"

    def __reduce__(self) -> tuple[object, ...]:
        """Keep ``where`` and ``hint`` when an error crosses a process boundary."""
        return _rebuild, (type(self), self.what, self.where, self.hint)


def _rebuild(kind: type[ClvError], what: str, where: str, hint: str) -> ClvError:
    return kind(what, where=where, hint=hint)


class DataError(ClvError):
    """The data handed in cannot be used as they are."""


class MissingColumn(DataError):  # noqa: N818  (reads as the fact it states)
    """A required column is not there, under any of its known names."""


class MixedCurrency(DataError):  # noqa: N818
    """Amounts in two currencies would be summed."""


class TooLittleData(DataError):  # noqa: N818
    """The answer would be a guess."""


class ModelError(ClvError):
    """A model cannot do what was asked."""


class NotFitted(ModelError):  # noqa: N818
    """Predict was called before fit."""


class NotIdentified(ModelError):  # noqa: N818
    """The data do not determine the parameters."""


class RuleError(ClvError):
    """A rule does not parse or names an unknown field."""


class BundleError(ClvError):
    """A folder of model files is not what its manifest says."""


class TamperedBundle(BundleError):  # noqa: N818
    """A file's hash differs from the manifest."""


class UnknownFormat(BundleError):  # noqa: N818
    """Written by a newer major format than this version reads."""


class RegistryError(ClvError):
    """The model registry cannot be reached or does not hold what was asked."""


class SnapshotError(ClvError):
    """A published generation is missing or broken."""


class SettingError(ClvError):
    """A setting is unknown or out of its range."""


class StepError(ClvError):
    """A pipeline step lacks what an earlier step should have made."""
