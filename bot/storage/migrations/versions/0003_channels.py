"""Channels: health, template messages, opened files, second addresses, parts sent, tombstones."""

import sqlalchemy as sa
from alembic import op

from bot.storage.base import Moment

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this migration."""
    op.create_table(
        'channel_health',
        sa.Column('channel', sa.String(length=64), nullable=False),
        sa.Column('well', sa.Boolean(), nullable=False),
        sa.Column('problem', sa.String(length=255), nullable=False),
        sa.Column('since', Moment(timezone=True), nullable=False),
        sa.Column('checked_at', Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('channel', name=op.f('pk_channel_health')),
    )
    op.create_table(
        'message_template',
        sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
        sa.Column('channel', sa.String(length=64), nullable=False),
        sa.Column('name', sa.String(length=64), nullable=False),
        sa.Column('language', sa.String(length=8), nullable=False),
        sa.Column('state', sa.String(length=64), nullable=False),
        sa.Column('reason', sa.String(length=255), nullable=False),
        sa.Column('provider_id', sa.String(length=64), nullable=False),
        sa.Column('checked_at', Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_message_template')),
        sa.UniqueConstraint('channel', 'name', 'language', name=op.f('uq_message_template_channel_name_language')),
    )
    op.create_table(
        'media_file',
        sa.Column('inbox_id', sa.Integer(), nullable=False),
        sa.Column('mime', sa.String(length=64), nullable=False),
        sa.Column('content', sa.LargeBinary(), nullable=False),
        sa.Column('fetched_at', Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_media_file_inbox_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('inbox_id', name=op.f('pk_media_file')),
    )
    op.create_table(
        'tombstone',
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('at', Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('digest', name=op.f('pk_tombstone')),
    )
    op.create_index(op.f('ix_outbox_provider_id'), 'outbox', ['provider_id'])
    op.create_index(
        'ix_outbox_unremembered',
        'outbox',
        ['state', 'id'],
        sqlite_where=sa.text('remembered = 0'),
        postgresql_where=sa.text('NOT remembered'),
    )
    op.add_column('outbox', sa.Column('parts_sent', sa.Integer(), nullable=False, server_default='0'))
    with op.batch_alter_table('contact', schema=None) as batch_op:
        batch_op.add_column(sa.Column('alias', sa.String(length=255), nullable=True))
        batch_op.create_unique_constraint(batch_op.f('uq_contact_channel_alias'), ['channel', 'alias'])


def downgrade() -> None:
    """Takes this migration back."""
    with op.batch_alter_table('contact', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_contact_channel_alias'), type_='unique')
        batch_op.drop_column('alias')
    op.drop_index('ix_outbox_unremembered', table_name='outbox')
    op.drop_index(op.f('ix_outbox_provider_id'), table_name='outbox')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_column('parts_sent')
    for table in ('tombstone', 'media_file', 'message_template', 'channel_health'):
        op.drop_table(table)
