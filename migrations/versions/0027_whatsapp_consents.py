"""Consents may come from WhatsApp itself: what customers choose there about marketing messages."""

from alembic import op

revision = "0027"
down_revision = "0026"

SOURCES = ("message", "phone", "form", "paper", "import", "whatsapp", "other")


def upgrade() -> None:
    allow(SOURCES)


def downgrade() -> None:
    op.execute("set role switchboard_platform")
    op.execute("update consents set source = 'other' where source = 'whatsapp'")
    op.execute("reset role")
    allow(tuple(source for source in SOURCES if source != "whatsapp"))


def allow(sources: tuple[str, ...]) -> None:
    op.execute("set local lock_timeout = '5s'")
    listed = ", ".join(f"'{source}'" for source in sources)
    op.drop_constraint("ck_consents_source", "consents")
    op.execute(f"alter table consents add constraint ck_consents_source check (source in ({listed})) not valid")
    op.execute("alter table consents validate constraint ck_consents_source")
