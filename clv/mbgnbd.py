"""MBG/NBD: as BG/NBD, but customers may leave right after their first order too.

Batislam, Denizel and Filiztekin (2007), International Journal of Research in Marketing 24(3); Hoppe and
Wagner (2007). One-time buyers no longer count as certainly alive.
"""

from __future__ import annotations

from clv.bgnbd import BGNBD

__all__ = ["MBGNBD"]


class MBGNBD(BGNBD):
    """Orders with a chance to leave after each order, the first included.

    ``r``, ``alpha``: gamma distribution of order rates. ``a``, ``b``: beta distribution of the chance to
    leave.
    """

    kind = "mbgnbd"
    _leave_at_start = True
