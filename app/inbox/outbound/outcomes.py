"""Records what Meta answered.

Meta has no idempotency key, so a message whose response was lost is `unknown`: it is never retried blindly, but
settled by its status webhook or by a person.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from app.inbox.conversations.attempts import SendAttempt
from app.inbox.conversations.statuses import adopt_orphans, record_progress, show_ticks
from app.inbox.files.media import Media
from app.message_templates.direct_send import DirectSendAccess
from app.meta import messages as meta
from app.meta.errors import Kind, MetaError, NotConnected
from app.meta.media import FILE_CODES
from app.meta.pretended_webhooks import statuses_of
from app.sandboxes.models import PretendedWebhook
from app.tenancy import announce, current_tenant_id, database_now, db, is_sandbox
from app.wabas.models import PhoneNumber

from .direct_sends import withdraw_direct_sends
from .lanes import Lane
from .parcels import Parcel
from .sample_uploads import SampleUpload

RETRY_SECONDS = (2, 8, 30, 120, 600)
UNREACHABLE_SECONDS = (1, 2, 4, 15, 60, 300)


class Outcomes:
    """What Meta answered to parcels of a lane. Changes nothing where the fence says that the lease was lost."""

    def __init__(self, lane: Lane, outcomes: Sequence[tuple[Parcel, meta.Accepted | MetaError]]) -> None:
        self.lane, self.outcomes = lane, outcomes

    def record(self) -> None:
        """Writes what became of each message and of its try, and shows it to the team."""
        lane, outcomes = self.lane, self.outcomes
        lane.land(len(outcomes))
        if accepted := [(parcel, one) for parcel, one in outcomes if isinstance(one, meta.Accepted)]:
            lane.widen()
            self.record_acceptances(accepted)
        for parcel, outcome in outcomes:
            if isinstance(outcome, MetaError):
                self.record_refusal(parcel, outcome)
        show_ticks([parcel.message_id for parcel, _ in outcomes])
        for conversation_id in {parcel.conversation_id for parcel, _ in outcomes}:
            announce("conversation", conversation_id)

    def record_acceptances(self, accepted: Sequence[tuple[Parcel, meta.Accepted]]) -> None:
        rows = [
            {"message": str(parcel.message_id), "fence": parcel.fence, "wamid": outcome.wamid}
            for parcel, outcome in accepted
        ]
        values = {"tenant": current_tenant_id(), "ids": [row["message"] for row in rows], "rows": json.dumps(rows)}
        db.session.execute(ACCEPT, values)
        SendAttempt.finish([parcel.attempt_id for parcel, _ in accepted], "accepted")
        if any(parcel.category for parcel, _ in accepted):
            DirectSendAccess.learn_success(self.lane.waba_id)
        adopt_orphans(self.lane.number_id, {outcome.wamid: parcel.message_id for parcel, outcome in accepted})
        if is_sandbox(self.lane.tenant_id):
            self.expect_statuses(accepted)

    def expect_statuses(self, accepted: Sequence[tuple[Parcel, meta.Accepted]]) -> None:
        """What Meta would post about messages that a sandbox has sent."""
        number = PhoneNumber.get_or_404(self.lane.number_id)
        for parcel, outcome in accepted:
            statuses = statuses_of(outcome.wamid, parcel.to or parcel.recipient or "", parcel.callback_data)
            PretendedWebhook.expect_of_number(number, [{"statuses": [one]} for one in statuses])

    def record_refusal(self, parcel: Parcel, error: MetaError) -> None:
        after = self.state_after(error, parcel)
        again_at = None if after.wait is None else database_now() + dt.timedelta(seconds=after.wait)
        ids = {"tenant": current_tenant_id(), "message": parcel.message_id, "fence": parcel.fence}
        changed = {"state": after.state, "again_at": again_at, "error": json.dumps(error.as_dict())}
        rows = db.session.execute(REFUSE, ids | changed).all()
        SendAttempt.finish([parcel.attempt_id], after.state, error.as_dict())
        record_progress([row for row in rows if row.state == "failed"], "message.failed")
        if error.kind is Kind.PAUSE_NUMBER:
            PhoneNumber.get_or_404(self.lane.number_id).pause(error.title, error.fix)
        if error.kind is Kind.THROTTLE:
            self.lane.pace.slow_down()
        if parcel.category and DirectSendAccess.learn_refusal(self.lane.waba_id, error):
            withdraw_direct_sends(self.lane.waba_id)

    def state_after(self, error: MetaError, parcel: Parcel) -> NextState:
        """A reaction sent twice is the same reaction; a file that Meta may have deleted is uploaded again."""
        if parcel.type == "reaction" and error.kind is Kind.UNKNOWN_OUTCOME and parcel.attempts <= len(RETRY_SECONDS):
            return NextState("queued", RETRY_SECONDS[parcel.attempts - 1])
        if parcel.file_id and error.code in FILE_CODES and Media.get_or_404(parcel.file_id).upload_again():
            return NextState("queued", 0)
        if error.code in FILE_CODES and SampleUpload.upload_again(self.lane.number_id, parcel.samples):
            return NextState("queued", 0)
        return NextState.after(error, parcel.attempts)


@dataclass(frozen=True, slots=True)
class NextState:
    """The state of a message that Meta did not accept, and after how many seconds it is retried."""

    state: str
    wait: int | None = None

    @classmethod
    def after(cls, error: MetaError, attempts: int) -> NextState:
        """By the kind of the error (`app.meta.codes`) and the number of attempts so far."""
        match error.kind:
            case Kind.RETRY if isinstance(error, NotConnected):
                return cls("queued", UNREACHABLE_SECONDS[min(attempts, len(UNREACHABLE_SECONDS)) - 1])
            case Kind.RETRY if attempts <= len(RETRY_SECONDS):
                return cls("queued", RETRY_SECONDS[attempts - 1])
            case Kind.PAIR if attempts <= 5:
                return cls("queued", 4 ** (attempts - 1))
            case Kind.THROTTLE:
                return cls("queued", error.wait or 5)
            case Kind.RETRY_LATER if attempts <= 3:
                return cls("queued", error.wait or 300)
            case Kind.PAUSE_NUMBER:
                return cls("queued", 0)
            case Kind.UNKNOWN_OUTCOME:
                return cls("unknown")
            case _:
                return cls("failed")


# Meta accepted these messages. Locks them by their ids first, in order, as statuses do, then changes those whose fence
# is still the one. A message that is queued under the same fence was about to be retried (`unknowns.py`), and need not
# be any more. `ids` beside `rows`: also where Postgres knows nothing of a tenant yet, it goes by the primary key.
# `for update`, which is what writing a wamid takes, as that is unique: with less, this and a status that has arrived
# already, whose row refers to the message, would each wait for the other.
ACCEPT = text("""
    with locked as (
        select id from messages where tenant_id = :tenant and id = any(cast(:ids as uuid[])) order by id
        for update
    )
    update messages m set wamid = coalesce(m.wamid, r.wamid), lease_until = null,
        state = case when m.state in ('dispatching', 'unknown', 'queued') then 'accepted' else m.state end,
        error = case when m.state in ('dispatching', 'unknown', 'queued') then null else m.error end
    from locked join jsonb_to_recordset(cast(:rows as jsonb)) as r(message uuid, fence bigint, wamid text)
        on r.message = locked.id
    where m.tenant_id = :tenant and m.id = any(cast(:ids as uuid[])) and m.id = locked.id and m.fence = r.fence
""")
REFUSE = text("""
    update messages set state = :state, error = cast(:error as jsonb), lease_until = null,
        next_attempt_at = :again_at
    where tenant_id = :tenant and id = :message and fence = :fence
      and (state = 'dispatching' or state = 'unknown' and :state <> 'unknown')
    returning id, conversation_id, state, source, author_kind, author_id, author_name,
        (error ->> 'code')::int as code
""")
