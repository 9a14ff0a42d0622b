"""What a customer is worth.

Knows no web, no registry and no database: tables and numbers in, tables and numbers out.

Map
---
columns     the names of columns, spelled once
errors      every error of the project, in one tree
"""

from __future__ import annotations

from clv.errors import ClvError

__all__ = ["ClvError"]
