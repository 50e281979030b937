"""Countries a person told, and the answers of the pre-check that were passed on with a case."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this migration."""
    op.add_column('conversation', sa.Column('host_country', sa.String(length=2), nullable=True))
    op.add_column('conversation', sa.Column('origin_country', sa.String(length=2), nullable=True))
    op.add_column('handoff_case', sa.Column('facts', sa.JSON(), nullable=True))


def downgrade() -> None:
    """Takes this migration back."""
    with op.batch_alter_table('handoff_case', schema=None) as batch_op:
        batch_op.drop_column('facts')
    with op.batch_alter_table('conversation', schema=None) as batch_op:
        batch_op.drop_column('origin_country')
        batch_op.drop_column('host_country')
