"""Policies read the tenant without a subselect, which a Citus cluster refuses.

Each is changed in a transaction of its own, so that no table is locked for longer than that takes. It may run again.
"""

import sqlalchemy as sa
from alembic import op
from row_security import TENANT

revision = "0034"
down_revision = "0033"

BEFORE = f"(select {TENANT})"
POLICIES = """
    select format('%I.%I', schemaname, tablename), substring(qual from '^\\((\\w+) =') from pg_policies
    where policyname = 'one_tenant' order by 1
"""


def upgrade() -> None:
    read_tenant_as(TENANT)


def downgrade() -> None:
    read_tenant_as(BEFORE)


def read_tenant_as(expression: str) -> None:
    policies = op.get_bind().execute(sa.text(POLICIES)).all()
    with op.get_context().autocommit_block():
        for table, column in policies:
            mine = f"{column} = {expression}"
            op.execute(f"alter policy one_tenant on {table} using ({mine}) with check ({mine})")
