"""Conditions that several statements share, and the statements made of them. All of it is constant."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import TextClause, text

LOST = ("failed", "expired")
NO_MESSAGES = ("system", "reaction", "edit", "revoke")
# Meta's webhooks are never that late: what was stored later was imported, before imports were marked.
IMPORTED_AFTER = dt.timedelta(days=8)

# Who sent a message, as `Message.sender_kind` says.
SENDER = """coalesce(m.author_kind, case when m.direction = 'inbound' then 'customer'
            when m.author_id is not null then 'agent' when m.client_id is not null then 'system' else 'phone' end)"""
# What is a message of the conversation: not what WhatsApp wrote, a reaction, an edit or a deletion, what has not gone
# out, or history from before a number was here. Written so that Postgres expects that nearly all are.
COUNTED = """m.type not in ('system', 'reaction', 'edit', 'revoke') and m.state not in ('scheduled', 'cancelled')
        and (m.content ? 'merged_into') is not true and (m.content ? 'history') is not true
        and m.created_at - m.occurred_at < interval '8 days'"""
LOST_ONES = "('failed', 'expired')"
# Whether a customer asks for a reply with it: not with an answer to the survey, a call that was taken, or a message to
# another app that has the thread.
WAITS = """(m.direction = 'inbound' and (m.content ? 'standby') is not true
            and coalesce(m.content #>> '{raw,button_reply,id}', m.content #>> '{raw,payload}', '') not like 'survey-%'
            and not (m.type = 'call' and (coalesce(m.content #>> '{raw,duration}', '0') <> '0'
                or upper(coalesce(m.content #>> '{raw,status}', '')) = 'COMPLETED')))"""
# A fact of the agent and the numbers in question that has come; target times may be in the future. A null :who is
# everyone, null :numbers are all.
MINE = """f.at <= :now and (cast(:who as uuid) is null or f.actor_kind = 'agent' and f.actor_id = :who)
      and (cast(:numbers as uuid[]) is null or f.phone_number_id = any(cast(:numbers as uuid[])))"""
# Percentiles of what was measured, by the clock and within business hours.
FIGURE = """count(*) as counted, count(*) filter (where f.is_met) as met,
        percentile_disc(array[0.5, 0.9]) within group (order by f.seconds) as clock,
        percentile_disc(array[0.5, 0.9]) within group (order by f.open_seconds) as within"""
COUNTS = "count(*) as counted, count(*) filter (where f.is_met) as met"
SCORED = """count(*) filter (where f.score = 'bad') as bad, count(*) filter (where f.score = 'fair') as fair,
        count(*) filter (where f.score = 'good') as good"""
OF_WHO = """(cast(:who as uuid) is null or m.author_id = :who)
      and (cast(:numbers as uuid[]) is null or m.phone_number_id = any(cast(:numbers as uuid[])))"""
SUMS = """sum(m.messages) as messages, sum(m.accepted) as accepted, sum(m.sent) as sent,
        sum(m.delivered) as delivered, sum(m.read) as read, sum(m.replied) as replied, sum(m.failed) as failed,
        sum(m.unsettled) as unsettled"""
PARTS = {
    "«sender»": SENDER,
    "«counted»": COUNTED,
    "«lost»": LOST_ONES,
    "«waits»": WAITS,
    "«mine»": MINE,
    "«figure»": FIGURE,
    "«counts»": COUNTS,
    "«scored»": SCORED,
    "«of_who»": OF_WHO,
    "«sums»": SUMS,
}


def made_of(words: str) -> TextClause:
    """A statement with the parts that it names."""
    for name, part in PARTS.items():
        words = words.replace(name, part)
    return text(words)
