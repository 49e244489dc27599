"""New passages go into their index at once: what waits beside it is read by every search, of any tenant."""

from alembic import op

revision = "0082"
down_revision = "0081"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter index ix_knowledge_passages_terms set (fastupdate = off)")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter index ix_knowledge_passages_terms reset (fastupdate)")
