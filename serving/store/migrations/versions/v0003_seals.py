"""What the store is sealed with, and how long its audit trail is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "seals",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("lines", sa.BigInteger, nullable=False),
        sa.Column("seal", sa.LargeBinary(32), nullable=False),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("seals")
