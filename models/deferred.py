"""Libraries that a service loads when it first needs them, which is mostly never.

A service reads arrays, decides and answers. What it is made of can also fit models and read tables, and names
pandas and SciPy's statistics for that: a third of every start, and a hundred megabytes in every worker. In
the process of a service ``import pandas`` leaves a module that becomes the real one as soon as something is
asked of it, as ``lazy import`` does from Python 3.15 on (PEP 810).

LightGBM loads scikit-learn's selection of models, pandas and Arrow where it finds them, for interfaces that a
service does not use: here it is loaded as if they were not installed.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final, cast

SELDOM: Final = ("pandas", "scipy.stats", "scipy.optimize", "numpy.f2py", "numpy.testing")
_BESIDE_TREES: Final = ("sklearn", "pandas", "pyarrow")
_loading = threading.RLock()


class Deferred(ModuleType):
    """Stands for a library until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """Load the library, and return what was asked for."""
        return getattr(_real(self), name)


def lighten() -> None:
    """Let this process load what a service needs, and no more; call it before anything else is imported."""
    for name in SELDOM:
        defer(name)
    if not any(map(is_loaded, ("lightgbm", *_BESIDE_TREES))):
        with as_if_missing(*_BESIDE_TREES):
            importlib.import_module("lightgbm")


def defer(name: str) -> None:
    """Put off the loading of a library that is not loaded yet.

    Parameters
    ----------
    name
        Of the module, with dots; what it is part of is loaded at once.
    """
    spec = None if name in sys.modules else find_spec(name)
    if spec is None:
        return
    sys.modules[name] = put_off = Deferred(name)
    put_off.__spec__, put_off.__file__ = spec, spec.origin  # who looks at these asks nothing of the library
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, put_off)


def is_loaded(name: str) -> bool:
    """Return whether a library is loaded in earnest."""
    return not isinstance(sys.modules.get(name), Deferred | None)


@contextmanager
def as_if_missing(*names: str) -> Iterator[None]:
    """Let what is imported meanwhile find that these libraries are not installed."""
    before = {name: sys.modules[name] for name in names if name in sys.modules}
    sys.modules.update(cast("dict[str, ModuleType]", dict.fromkeys(names)))  # None: the import system's "no"
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
        sys.modules.update(before)


def _real(put_off: Deferred) -> ModuleType:
    """Return the library itself, loaded now unless it was before."""
    name = put_off.__name__
    with _loading:
        if sys.modules.get(name) is put_off:
            del sys.modules[name]
            try:
                importlib.import_module(name)
            except BaseException:
                sys.modules[name] = put_off
                raise
        real = sys.modules[name]
        vars(put_off).update(vars(real))  # whoever holds it finds everything there from now on
    return real
