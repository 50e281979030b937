"""${message}."""

import sqlalchemy as sa
from alembic import op

import bot.storage.base
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this migration."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Takes this migration back."""
    ${downgrades if downgrades else "pass"}
