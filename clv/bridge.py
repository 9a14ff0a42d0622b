"""To and from ``lifetimes``: take over a fitter somebody has, or give one back.

Predictions are equal in both directions where ``lifetimes`` gives a number. Where ours differ on purpose:

* its ``variance_matrix_`` is not symmetric (it multiplies columns by squared parameters, where the delta
method needs
  the product of row and column parameter); the one handed back here is, and has the same standard errors;
* it returns nan for one-time buyers when a + b is below 1, ours is the limit;
* its ``customer_lifetime_value`` counts a year as twelve months of 30 days; here a horizon is a number of
days;
* its penalizer acts on parameters in the unit of time of the data, so it is not taken over: parameters are.

``lifetimes`` is imported only when asked for, and leaves the warning filters as they were.
"""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv.bgbb import BGBB
from clv.bgnbd import BGNBD
from clv.errors import BundleError, SettingError
from clv.mbgnbd import MBGNBD
from clv.paretonbd import ParetoNBD
from clv.process import PurchaseProcess
from clv.spend import GammaGamma

__all__ = ["from_lifetimes", "read_lifetimes", "to_lifetimes"]

_PROCESSES: Final[dict[str, type[PurchaseProcess]]] = {
    "BetaGeoFitter": BGNBD,
    "ModifiedBetaGeoFitter": MBGNBD,
    "ParetoNBDFitter": ParetoNBD,
    "BetaGeoBetaBinomFitter": BGBB,
}
_SPEND: Final = "GammaGammaFitter"


def from_lifetimes(fitter: Any) -> PurchaseProcess | GammaGamma:  # noqa: ANN401  (lifetimes ships no types)
    """Take over a fitted ``lifetimes`` fitter.

    Parameters
    ----------
    fitter
        ``BetaGeoFitter``, ``ModifiedBetaGeoFitter``, ``ParetoNBDFitter``, ``BetaGeoBetaBinomFitter`` or
        ``GammaGammaFitter``; its parameters are in the unit of time it was fitted in.

    Returns
    -------
    PurchaseProcess or GammaGamma
        With its parameters, and standard errors and covariance where it has them.

    Raises
    ------
    SettingError
        When it is another kind of fitter, or not fitted.
    """
    name = type(fitter).__name__
    if name != _SPEND and name not in _PROCESSES:
        known = ", ".join([*_PROCESSES, _SPEND])
        raise SettingError("This fitter has no counterpart here.", where=name, hint=f"One of {known}.")
    values = getattr(fitter, "params_", None)
    if values is None or not len(values):
        raise SettingError("The fitter has not been fitted.", where=name, hint="Fit it, or fit ours.")
    values = {str(key): float(value) for key, value in dict(values).items()}
    if name == _SPEND:
        return GammaGamma.of(p=values["p"], q=values["q"], gamma=values["v"])
    model = _PROCESSES[name].of(**values)
    _take_errors(model, fitter)
    return model


def _take_errors(model: PurchaseProcess, fitter: Any) -> None:  # noqa: ANN401
    """Rebuild the covariance of the log parameters from a matrix whose columns were multiplied."""
    matrix = getattr(fitter, "variance_matrix_", None)
    if matrix is None or np.shape(matrix) != (len(model.names), len(model.names)):
        return
    parameters = np.array([model.parameters_[name] for name in model.names])
    square = np.asarray(pd.DataFrame(matrix).loc[list(model.names), list(model.names)], dtype=np.float64)
    asymmetric = not np.allclose(square, square.T, rtol=1e-6, atol=0.0)
    logs = square / (parameters**2 if asymmetric else np.outer(parameters, parameters))
    if np.isfinite(logs).all():
        model.covariance_ = (logs + logs.T) / 2.0
        errors = parameters * np.sqrt(np.maximum(np.diag(model.covariance_), 0.0))
        model.standard_errors_ = dict(zip(model.names, errors.tolist(), strict=True))


def read_lifetimes(path: Path, *, fitter: str, trusted: bool) -> PurchaseProcess | GammaGamma:
    """Read a fitter ``lifetimes`` saved with ``save_model``.

    Parameters
    ----------
    path
        The file.
    fitter
        Name of its class, ``BetaGeoFitter`` for example.
    trusted
        Such a file is a pickle: opening it runs whatever code it holds. Say True only of a file you made.

    Raises
    ------
    BundleError
        When the file is not there, or was not said to be trusted.
    SettingError
        When the fitter has no counterpart here.
    """
    if not trusted:
        raise BundleError(
            "Opening a lifetimes file runs the code in it.",
            where=str(path),
            hint="Pass trusted=True if it is yours.",
        )
    if not path.is_file():
        raise BundleError("There is no such file.", where=str(path))
    saved = _fitter(fitter)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        saved.load_model(str(path))
    return from_lifetimes(saved)


def to_lifetimes(model: PurchaseProcess | GammaGamma) -> Any:  # noqa: ANN401
    """Give a ``lifetimes`` fitter with the parameters of a fitted model, ready to predict.

    Raises
    ------
    SettingError
        When ``lifetimes`` has no such model.

    Examples
    --------
    >>> from clv.bgnbd import BGNBD
    >>> to_lifetimes(BGNBD.of(r=0.243, alpha=4.414, a=0.793, b=2.426)).params_["alpha"]
    np.float64(4.414)
    """
    if isinstance(model, GammaGamma):
        fitter = _fitter(_SPEND)
        p, q, gamma = (model.parameters_[name] for name in model.names)
        fitter.params_ = pd.Series({"p": p, "q": q, "v": gamma})
        return fitter
    names = [name for name, kind in _PROCESSES.items() if type(model) is kind]
    if not names:
        raise SettingError(
            "lifetimes has no such model.", where=model.kind, hint=f"One of {', '.join(_PROCESSES)}."
        )
    fitter = _fitter(names[0])
    fitter.params_ = pd.Series({name: model.parameters_[name] for name in model.names})
    scale = np.outer(fitter.params_, fitter.params_)
    labels = list(model.names)
    fitter.variance_matrix_ = pd.DataFrame(model.covariance_ * scale, index=labels, columns=labels)
    fitter.standard_errors_ = pd.Series(model.standard_errors_)
    fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    return fitter


def _fitter(name: str) -> Any:  # noqa: ANN401
    if name != _SPEND and name not in _PROCESSES:
        raise SettingError(
            "This fitter has no counterpart here.", where=name, hint=", ".join([*_PROCESSES, _SPEND])
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(importlib.import_module("lifetimes"), name)()
