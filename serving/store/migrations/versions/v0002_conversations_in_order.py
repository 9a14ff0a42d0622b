"""Conversations by when they last changed, so that old ones are found without reading all."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("conversations_in_order", "conversations", ["changed_at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index("conversations_in_order", "conversations")
