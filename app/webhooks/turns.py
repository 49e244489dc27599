"""Chooses the webhooks to process next: tenants take turns, and so do the numbers of a tenant.

So a message waits for its turn, and not behind everything that another business has got at once.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from app.contacts.models import lock_free
from app.tenancy import db
from app.webhook_events.routing import owners_of

Each = TypeVar("Each")

# What one transaction takes: bodies of so many bytes, a fifth of a second's work, and at least one. Larger batches are
# a little faster, but whoever comes next waits for the whole of one.
BATCH_BYTES = 400_000
# How many posts are looked at to choose from, of all numbers together and of each.
MOST, FEWEST = 2_000, 20
# Of whom one batch is: more wait for the next one, or for another drain.
MOST_TENANTS = 64
# A business with no more waiting than this is drained in a few hundredths of a second.
LITTLE_BYTES = 20_000


class Waiting(NamedTuple):
    id: int
    size: int


# Of each tenant, what waits for each of its numbers, the oldest first.
Queues = dict[str, list[list[Waiting]]]


def claim(*, little_first: bool) -> tuple[Sequence[Row[Any]], list[str]]:
    """Locks a batch of posts, each number's oldest first, and their tenants. Skips what other drains hold.

    So a second drain takes what comes for others, while the first one is busy with a backlog. Tenants with little and
    those with much do not share a batch: who has little would wait for the whole of it.
    """
    for queues in by_amount(by_tenant(waiting_by_address()), little_first=little_first):
        locked = lock_free(list(queues), MOST_TENANTS) if queues else []
        chosen = choose([queues[owner] for owner in locked])
        if chosen and (posts := db.session.execute(LOCK_CHOSEN, {"ids": chosen}).all()):
            return posts, locked
    return [], []


def waiting_by_address() -> dict[str, list[Waiting]]:
    """Who is first is left to chance: more tenants may wait than one batch is of, and a large post is a batch alone."""
    addresses = list(db.session.scalars(ADDRESSES, {"most": MOST}))
    each = max(FEWEST, MOST // max(len(addresses), 1))
    random.shuffle(addresses)
    waiting: dict[str, list[Waiting]] = {address: [] for address in addresses}
    for address, id, size in db.session.execute(OLDEST_OF_EACH, {"addresses": addresses, "each": each}).all():
        waiting[address].append(Waiting(id, size))
    return waiting


def by_tenant(waiting: dict[str, list[Waiting]]) -> Queues:
    """The posts of each tenant's numbers. A number that no tenant has connected is its own queue."""
    owners = owners_of(waiting)
    queues: Queues = defaultdict(list)
    for address, posts in waiting.items():
        queues[str(owners.get(address, address))].append(posts)
    return queues


def by_amount(queues: Queues, *, little_first: bool) -> list[Queues]:
    """The tenants with little to drain and those with much, whichever come first."""
    little, much = Queues(), Queues()
    for owner, numbers in queues.items():
        size = sum(post.size for posts in numbers for post in posts)
        (little if size <= LITTLE_BYTES else much)[owner] = numbers
    return [little, much] if little_first else [much, little]


def choose(queues: Iterable[list[list[Waiting]]]) -> list[int]:
    """The ids of a batch: in turn one of each tenant, of whom one of each number, until it is full.

    A post that does not fit waits, with all behind it on its number; the others go on without it.
    """
    chosen: list[int] = []
    room, waits = BATCH_BYTES, set()
    for number, post in in_turn(in_turn(map(with_number, numbers)) for numbers in queues):
        if number in waits or (chosen and post.size > room):
            waits.add(number)
            continue
        chosen.append(post.id)
        room -= post.size
    return sorted(chosen)


def with_number(posts: list[Waiting]) -> Iterator[tuple[int, Waiting]]:
    """Each post with what its number is known by here: the id of the first that waits for it."""
    return ((posts[0].id, post) for post in posts)


def in_turn(queues: Iterable[Iterable[Each]]) -> Iterator[Each]:
    """The first of each queue, then the second of each, and so on."""
    return (each for each in chain.from_iterable(zip_longest(*queues)) if each is not None)


# Which numbers have posts waiting? Jumps from one to the next along the index (address, id) of those not drained.
ADDRESSES = text("""
    with recursive numbers as (
        (select address from webhook_events where drained_at is null order by address limit 1)
        union all
        select (select w.address from webhook_events w where w.drained_at is null and w.address > numbers.address
                order by w.address limit 1)
        from numbers where numbers.address is not null
    )
    select address from numbers where address is not null limit :most
""")
# The oldest posts of each of these numbers, by the same index, and their size in bytes.
OLDEST_OF_EACH = text("""
    select n.address, w.id, w.size from unnest(cast(:addresses as text[])) n(address)
    cross join lateral (
        select id, octet_length(body) as size from webhook_events
        where address = n.address and drained_at is null order by id limit :each
    ) w
    order by w.id
""")
LOCK_CHOSEN = text(
    "select id, body, received_at, drains from webhook_events where id = any(:ids) and drained_at is null order by id"
    " for update skip locked"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
