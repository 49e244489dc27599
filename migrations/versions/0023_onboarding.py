"""Two sign-ups on one page are two attempts; callbacks of other servers are seen; the outcome's keys say what they hold."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"

# Reasons by which the pages recognise that access has ended.
REASONS = {
    "Facebook does not let us in any more: the access was taken back or has run out.": (
        "Facebook access has ended: it was revoked or has expired."
    ),
    "Your business does not share this WhatsApp account with us any more.": (
        "Your business no longer shares this WhatsApp account with Switchboard."
    ),
}
OWNERS = {"you": "tenant", "us": "platform", "nobody": ""}


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("onboardings", sa.Column("earlier_claims", postgresql.JSONB(), server_default="[]", nullable=False))
    op.add_column("onboardings", sa.Column("code_digest", sa.Text(), server_default="", nullable=False))
    op.add_column("phone_numbers", sa.Column("receives", sa.Boolean(), server_default=sa.false(), nullable=False))
    for table in ("wabas", "phone_numbers"):
        op.add_column(table, sa.Column("callback_override", sa.Text(), server_default="", nullable=False))
    op.drop_index("ix_onboarding_steps_waiting", table_name="onboarding_steps")
    op.create_index(
        "ix_onboarding_steps_hello",
        "onboarding_steps",
        ["onboarding_id"],
        postgresql_where=sa.text("name = 'hello_seen' and state in ('pending', 'waiting')"),
    )
    op.execute("set local role switchboard_platform")
    rename("said", "details")
    rename("mender", "owner")
    for old, new in OWNERS.items():
        set_owner(old, new)
    for old, new in REASONS.items():
        op.execute(f"update phone_numbers set pause_reason = '{new}' where pause_reason = '{old}'")
    op.execute("set local role none")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role switchboard_platform")
    for old, new in REASONS.items():
        op.execute(f"update phone_numbers set pause_reason = '{old}' where pause_reason = '{new}'")
    for old, new in OWNERS.items():
        set_owner(new, old)
    rename("owner", "mender")
    rename("details", "said")
    op.execute("set local role none")
    op.drop_index("ix_onboarding_steps_hello", table_name="onboarding_steps")
    op.create_index(
        "ix_onboarding_steps_waiting", "onboarding_steps", ["name"], postgresql_where=sa.text("state = 'waiting'")
    )
    for table in ("phone_numbers", "wabas"):
        op.drop_column(table, "callback_override")
    op.drop_column("phone_numbers", "receives")
    op.drop_column("onboardings", "code_digest")
    op.drop_column("onboardings", "earlier_claims")


def rename(old: str, new: str) -> None:
    op.execute(
        f"update onboarding_steps set outcome = (outcome - '{old}') || jsonb_build_object('{new}', outcome -> '{old}') "
        f"where outcome ? '{old}'"
    )


def set_owner(old: str, new: str) -> None:
    op.execute(
        f"update onboarding_steps set outcome = jsonb_set(outcome, '{{owner}}', '\"{new}\"') "
        f"where outcome ->> 'owner' = '{old}'"
    )
