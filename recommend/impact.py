"""What did the prompts earn? Customers with prompts against the control group without, net of what they cost.

The draw is by customer, so a customer's outcomes are added up first. A lift is (treatment - control) /
control; its standard error follows from the delta method:

    SE(lift) = sqrt(SE_t^2 + (t / c)^2 SE_c^2) / c
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from clv.errors import DataError, MissingColumn, TooLittleData

LEAST_CUSTOMERS: Final = 30
LEAST_CONVERTED: Final = 5


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """One arm: its customers, how many of them converted, and what they brought, with standard errors."""

    customers: int
    converted: int
    rate: float
    rate_error: float
    value: float
    value_error: float


@dataclass(frozen=True, slots=True)
class Lift:
    """How much more the treatment brings than the control, as a share of the control.

    ``low`` and ``high`` bound it at the confidence asked for; it is ``significant`` if they leave out zero.
    """

    treatment: float
    control: float
    lift: float
    error: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Return whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Impact:
    """What prompts changed.

    Parameters
    ----------
    treatment, control
        The two arms.
    conversion
        Lift of the share of customers who bought or accepted.
    value
        Lift of value per customer; None where the control brought nothing.
    earned, earned_low, earned_high
        (value per customer with prompts - without) x customers with prompts, in the ledger's currency.
    cost
        Of the centre, in the same currency.
    detectable_lift
        The smallest lift of conversion these arms would have shown four times out of five.
    verdict
        In one sentence.
    """

    treatment: ArmFigures
    control: ArmFigures
    conversion: Lift
    value: Lift | None
    earned: float
    earned_low: float
    earned_high: float
    cost: float
    detectable_lift: float
    verdict: str

    @property
    def net(self) -> float:
        """Earned less cost."""
        return self.earned - self.cost


def impact(
    outcomes: pd.DataFrame, *, cost: float = 0.0, confidence: float = 0.95, power: float = 0.8
) -> Impact:
    """Compare customers with prompts with the control group.

    Parameters
    ----------
    outcomes
        ``customer_id``, ``arm`` (``treatment`` or ``control``), ``converted`` (0 or 1) and ``value``: one
        row per customer, or several that are added up. Both arms must be observed alike, whether or not a
        prompt was shown.
    cost
        Of the centre in the period, in the ledger's currency.
    confidence
        Of the intervals, 0 to 1.
    power
        Of the detectable lift, 0 to 1.

    Raises
    ------
    MissingColumn
        If a column is missing.
    DataError
        If an arm is unknown, or a customer is in both.
    TooLittleData
        If an arm has fewer than 30 customers, or the control fewer than 5 who converted.
    """
    arms = _by_customer(outcomes)
    treatment, control = (_figures(arms[arms["arm"] == name], name) for name in ("treatment", "control"))
    z = float(norm.ppf(0.5 + confidence / 2))
    conversion = lift(treatment.rate, treatment.rate_error, control.rate, control.rate_error, z=z)
    value = (
        lift(treatment.value, treatment.value_error, control.value, control.value_error, z=z)
        if control.value > 0
        else None
    )
    n = treatment.customers
    earned = (treatment.value - control.value) * n
    margin = z * math.hypot(treatment.value_error, control.value_error) * n
    detectable = detectable_lift(control.rate, n, control.customers, confidence=confidence, power=power)
    verdict = _verdict(conversion, detectable)
    return Impact(
        treatment, control, conversion, value, earned, earned - margin, earned + margin, cost, detectable,
        verdict
    )  # fmt: skip


def lift(
    treatment: float, treatment_error: float, control: float, control_error: float, *, z: float = 1.96
) -> Lift:
    """Return a relative lift with its delta-method interval.

    Parameters
    ----------
    treatment, control
        Means of the arms; the control's above 0.
    treatment_error, control_error
        Their standard errors.
    z
        Standard errors either side; 1.96 for 95 %.

    Examples
    --------
    >>> lift(0.055, 0.001, 0.05, 0.001).error
    0.0297
    """
    ratio = treatment / control
    error = math.hypot(treatment_error, ratio * control_error) / control
    return Lift(treatment, control, ratio - 1, error, ratio - 1 - z * error, ratio - 1 + z * error)


def detectable_lift(
    rate: float, treated: int, held_out: int, *, confidence: float = 0.95, power: float = 0.8
) -> float:
    """Return the smallest relative lift of a rate that arms of this size show with this power.

    Examples
    --------
    >>> detectable_lift(0.05, 9_000, 1_000)
    0.407
    """
    z = float(norm.ppf(0.5 + confidence / 2) + norm.ppf(power))
    return z * math.sqrt(rate * (1 - rate) * (1 / treated + 1 / held_out)) / rate


def decisions_needed(
    rate: float, lift: float, control_share: float, *, confidence: float = 0.95, power: float = 0.8
) -> int:
    """Return how many customers both arms need together to show a lift.

    n = (p1 q1 + p2 q2) (z_a + z_b)^2 / (p2 - p1)^2 in each of two equal arms; for a control share f the
    total is n (1 + r)^2 / (2 r) with r = f / (1 - f).

    Parameters
    ----------
    rate
        Of conversion without prompts, 0 to 1.
    lift
        To be shown, relative, such as 0.10.
    control_share
        Held out, 0 to 1.
    confidence, power
        Of the test.

    Examples
    --------
    >>> decisions_needed(0.05, 0.10, 0.10)
    173504
    """
    p1, p2 = rate, rate * (1 + lift)
    z = float(norm.ppf(0.5 + confidence / 2) + norm.ppf(power))
    each = (p1 * (1 - p1) + p2 * (1 - p2)) * z**2 / (p2 - p1) ** 2
    r = control_share / (1 - control_share)
    return math.ceil(each * (1 + r) ** 2 / (2 * r))


def _by_customer(outcomes: pd.DataFrame) -> pd.DataFrame:
    wanted = ("customer_id", "arm", "converted", "value")
    missing = [name for name in wanted if name not in outcomes.columns]
    if missing:
        raise MissingColumn(
            f"The column {missing[0]!r} is missing.", where="outcomes", hint=f"Needed: {', '.join(wanted)}."
        )
    unknown = set(outcomes["arm"]) - {"treatment", "control"}
    if unknown:
        raise DataError(f"Unknown arm {sorted(map(str, unknown))[0]!r}.", where="outcomes.arm")
    arms = outcomes.groupby("customer_id", sort=True).agg(
        arm=("arm", "first"), arms=("arm", "nunique"), converted=("converted", "max"), value=("value", "sum")
    )
    both = arms.index[arms["arms"] > 1]
    if len(both):
        raise DataError(
            f"{len(both)} customers are in both arms, such as {both[0]!r}.",
            where="outcomes.arm",
            hint="Compare one month at a time: the control group is drawn anew each month.",
        )
    return arms


def _figures(arm: pd.DataFrame, name: str) -> ArmFigures:
    n = len(arm)
    converted = int(arm["converted"].sum())
    if n < LEAST_CUSTOMERS or (name == "control" and converted < LEAST_CONVERTED):
        raise TooLittleData(
            f"Not enough data: the {name} arm has {n} customers, {converted} of them converted.",
            where="outcomes",
            hint=f"Needs {LEAST_CUSTOMERS} customers in an arm, {LEAST_CONVERTED} converted in the control.",
        )
    rate = converted / n
    value: NDArray[np.float64] = arm["value"].to_numpy(dtype=np.float64)
    return ArmFigures(
        n,
        converted,
        rate,
        math.sqrt(rate * (1 - rate) / n),
        float(value.mean()),
        float(value.std(ddof=1) / math.sqrt(n)),
    )


def _verdict(conversion: Lift, detectable: float) -> str:
    span = f"{conversion.low:+.1%} to {conversion.high:+.1%}"
    if conversion.significant:
        way = "more" if conversion.lift > 0 else "fewer"
        return f"{abs(conversion.lift):.1%} {way} customers convert with prompts ({span})."
    return (
        f"Not enough data to tell prompts from none: {conversion.lift:+.1%} ({span}); "
        f"a lift of {detectable:.1%} would have shown."
    )
