"""Is a model's lead over its naive rival no worse than the champion's lead over its own?"""

from __future__ import annotations

import math
from collections.abc import Mapping

from models.bundle import Bundle
from models.verdict import Check
from pipelines.chance import interval, told


def lead_check(
    bundle: Bundle, rival: Bundle | None, metrics: Mapping[str, float], name: str, words: str
) -> list[Check]:
    """Hold a model's lead against the champion's; each was judged on data of its own day.

    A newer model is turned down only if its lead is smaller by more than chance; one that is not newer has to
    have the greater lead.

    Parameters
    ----------
    bundle, rival
        The model and the champion; None where there is none, and then nothing is checked.
    metrics
        Of the model.
    name
        Of the lead among the metrics; with ``_se`` behind it, of its standard error.
    words
        Tells of both, with places for ``{ours}`` and ``{theirs}``.
    """
    if rival is None:
        return []
    if rival.version == bundle.version:
        return [Check("champion", True, 0.0, 0.0, "it is the champion's equal, file by file")]
    ours, theirs = metrics[name], rival.metrics.get(name, 0.0)
    error = math.hypot(metrics.get(f"{name}_se", 0.0), rival.metrics.get(f"{name}_se", 0.0))
    held = interval(ours - theirs, error)[1] >= 0 if bundle.as_of > rival.as_of else ours > theirs
    reason = f"{words.format(ours=ours, theirs=theirs)} ({told(ours - theirs, error)})"
    return [Check("champion", held, ours, theirs, reason)]
