"""The database's wall: row security on every tenant table, and who may touch the others."""

from alembic import op

# Without a subselect, which a cluster refuses in a policy. Postgres reads it once per query where the statement says
# `tenant_id = …` too (a one-time filter), and else once per row; every index stays usable.
TENANT = "nullif(current_setting('app.tenant_id', true), '')::uuid"


def protect(table: str, column: str = "tenant_id", verbs: str = "select, insert, update, delete") -> None:
    """A table whose rows belong to tenants: the app's role sees one tenant's, the platform's role all."""
    mine = f"{column} = {TENANT}"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy one_tenant on {table} to switchboard_app using ({mine}) with check ({mine})")
    op.execute(f"create policy every_tenant on {table} to switchboard_platform using (true) with check (true)")
    op.execute(f"grant {verbs} on {table} to switchboard_app")
    op.execute(f"grant select, insert, update, delete on {table} to switchboard_platform")


def share(table: str, app: str = "select, insert, update, delete") -> None:
    """A table that belongs to no tenant (see tests/test_catalog.py), with what the app may do to it."""
    if app:
        op.execute(f"grant {app} on {table} to switchboard_app")
    op.execute(f"grant select, insert, update, delete on {table} to switchboard_platform")
