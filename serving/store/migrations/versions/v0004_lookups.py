"""Which customers each agent asked about within the hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "lookups",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("name", sa.LargeBinary(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("lookups_of_somebody", "lookups", ["who", "at"])
    op.create_index("lookups_of_customer", "lookups", ["name"])
    op.create_index("lookups_in_order", "lookups", ["at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("lookups")
