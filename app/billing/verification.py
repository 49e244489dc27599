"""Checks a ledger: that no row was changed, removed or reordered, and that what follows from the rows is right."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select, text

from app.tenancy import current_tenant_id, db

from .balances import Balance
from .ledger import CONTENT, Posting

AT_ONCE = 500


def problems_of_ledger() -> Iterator[str]:
    """What is wrong with the current tenant's ledger, in words for an admin. Reads all of it."""
    yield from problems_of_chain()
    for words, statement in CHECKS.items():
        if count := len(db.session.execute(statement, {"tenant": current_tenant_id()}).all()):
            yield words.format(count=count)
    balance = Balance.current()
    if balance:
        mine = {"tenant": current_tenant_id(), "currency": balance.currency}
        if (owed := db.session.scalar(OWED, mine) or 0) != -balance.balance_micros:
            yield f"the balance is {balance.balance_micros}, and the journals say {-owed}"
        if (held := db.session.scalar(HELD, mine) or 0) != balance.held_micros:
            yield f"{balance.held_micros} is held, and the holds add up to {held}"


def problem_of_link(posting: Posting) -> str:
    """What is wrong with one link by itself: its own hash, and that it follows from the one before. "" where nothing
    is."""
    before = db.session.scalar(select(Posting).where(Posting.position == posting.position - 1))
    if posting.position > 1 and before is None:
        return f"posting {posting.position - 1} is missing"
    if bytes(posting.previous_hash) != (bytes(before.hash) if before else b""):
        return f"posting {posting.position} does not follow from the one before it"
    return problem_of_content(posting)


def problem_of_content(posting: Posting) -> str:
    content = db.session.execute(CONTENT, {"tenant": current_tenant_id(), "posting": posting.id}).one()
    if content.journals != posting.journals:
        return f"posting {posting.position} has {content.journals} journals, and had {posting.journals}"
    if posting.hash_with(content.digest) != bytes(posting.hash):
        return f"posting {posting.position} was changed after it was written"
    return ""


def problems_of_chain() -> Iterator[str]:
    position, previous = 0, b""
    while postings := db.session.scalars(
        select(Posting).where(Posting.position > position).order_by(Posting.position).limit(AT_ONCE)
    ).all():
        for posting in postings:
            if posting.position != position + 1:
                yield f"postings {position + 1} to {posting.position - 1} are missing"
            elif bytes(posting.previous_hash) != previous:
                yield f"posting {posting.position} does not follow from the one before it"
            if problem := problem_of_content(posting):
                yield problem
            position, previous = posting.position, bytes(posting.hash)
        db.session.expunge_all()


# Each finds the rows that contradict what they follow from; none is right. They read all of a tenant, so no index helps
# but those of the joins: ix_journals_posting, ix_entries_journal, uq_journals_message, the unique keys of totals.
CHECKS = {
    "{count} journals belong to no posting": text("""
        select j.id from journals j where j.tenant_id = :tenant and not exists (
            select from postings p where p.tenant_id = :tenant and p.id = j.posting_id)
    """),
    # Whose entries do not add up to what the message cost at Meta (payable) and here (receivable)? Turned round in a
    # reversal. A null list_micros: Meta's price was not known, so nothing is payable.
    "{count} journals do not move what they say": text("""
        select j.id from journals j
        left join entries e on e.tenant_id = :tenant and e.journal_id = j.id
        where j.tenant_id = :tenant and j.kind in ('message', 'reversal', 'repricing')
        group by j.id, j.kind, j.list_micros, j.charged_micros
        having coalesce(sum(case 'payable' when e.credit then e.micros when e.debit then -e.micros end), 0)
                <> case j.kind when 'reversal' then -1 else 1 end * coalesce(j.list_micros, 0)
            or coalesce(sum(case 'receivable' when e.debit then e.micros when e.credit then -e.micros end), 0)
                <> case j.kind when 'reversal' then -1 else 1 end * j.charged_micros
    """),
    "{count} charged messages have no journal": text("""
        select u.id from usages u where u.tenant_id = :tenant and u.is_posted and not exists (
            select from journals j where j.tenant_id = :tenant and j.phone_number_id = u.phone_number_id
              and j.wamid = u.wamid and j.kind = 'message')
    """),
    # Which day totals are not what the journals of that day add up to? Nulls on one side: only the other has the row.
    # Totals of free messages (`free`) have no journals and are left out.
    "{count} totals of a day differ from the sum of their messages": text("""
        with rows as (
            select day, phone_number_id, category, country, sender, '' as free, currency,
                case kind when 'reversal' then -1 else 1 end as n, coalesce(list_micros, 0) as list_micros,
                charged_micros, (list_micros is null)::int as unpriced,
                case free when 'no_plan' then coalesce(list_micros, 0) else 0 end as no_plan_micros
            from journals where tenant_id = :tenant and kind in ('message', 'reversal', 'repricing')
        ), sums as (
            select day, phone_number_id, category, country, sender, free, currency, sum(n) as messages,
                sum(n * list_micros) as list_micros, sum(n * charged_micros) as charged_micros,
                sum(n * unpriced) as unpriced, sum(n * no_plan_micros) as no_plan_micros
            from rows group by 1, 2, 3, 4, 5, 6, 7
        )
        select 1 from sums s full join (select * from day_totals where tenant_id = :tenant and free = '') t
            using (day, phone_number_id, category, country, sender, free, currency)
        where (s.messages, s.list_micros, s.charged_micros, s.unpriced, s.no_plan_micros)
            is distinct from (t.messages, t.list_micros, t.charged_micros, t.unpriced, t.no_plan_micros)
    """),
}
# Which month totals, by each of their five dimensions, are not what the days of that month add up to?
CHECKS["{count} totals of a month differ from the sum of its days"] = text("""
    with sums as (
        select date_trunc('month', t.day)::date as month, d.dimension, d.value, t.free, t.currency,
            sum(t.messages) as messages, sum(t.list_micros) as list_micros, sum(t.charged_micros) as charged_micros,
            sum(t.unpriced) as unpriced, sum(t.no_plan_micros) as no_plan_micros
        from day_totals t
        cross join lateral (values ('day', t.day::text), ('phone_number_id', t.phone_number_id::text),
            ('country', t.country), ('category', t.category), ('sender', t.sender)) d(dimension, value)
        where t.tenant_id = :tenant
        group by 1, 2, 3, 4, 5
    )
    select 1 from sums s full join (select * from month_totals where tenant_id = :tenant) t
        using (month, dimension, value, free, currency)
    where (s.messages, s.list_micros, s.charged_micros, s.unpriced, s.no_plan_micros)
        is distinct from (t.messages, t.list_micros, t.charged_micros, t.unpriced, t.no_plan_micros)
""")
OWED = text("""
    select sum(case 'receivable' when debit then micros when credit then -micros else 0 end) from entries
    where tenant_id = :tenant and currency = :currency
""")
HELD = text("select sum(micros) from holds where tenant_id = :tenant")
