"""Checks with Meta whether our access works, and the state of a WABA and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from app.crypto import Undecryptable
from app.extensions import outside
from app.meta import embedded_signup, health, phone_numbers, wabas
from app.meta.errors import UNUSABLE_TOKEN, MetaError
from app.meta.graph import GraphClient
from app.tenancy import commit, db, now
from app.words import N_

from .models import APPEAL, CONNECT_AGAIN, DISABLED, PhoneNumber, Waba
from .overrides import foreign_callback

# The token is dead, or what it opened is not shared with us any more. Everything else passes, or is no proof.
DEAD, NOT_OURS, GONE = {0, 190}, {3, 10, 200, 803}, (100, 33)

REVOKED = N_("Facebook access has ended: it was revoked or has expired.")
UNSHARED = N_("Your business no longer shares this WhatsApp account with Switchboard.")
UNSUBSCRIBED = N_("Messages to this account don't reach Switchboard: its webhooks were turned off.")
SUBSCRIBE_AGAIN = N_("Select Turn on again. Waiting messages are sent afterwards.")
OVERRIDDEN = N_("Messages to this number go to another server instead of Switchboard.")
REDIRECT = N_("Select Bring messages here. Waiting messages are sent afterwards.")
DELETED = N_("This WhatsApp account no longer exists at Meta.")
NOT_REGISTERED = N_("This number is no longer registered with WhatsApp through Switchboard.")
REGISTER_AGAIN = N_("Connect this number again. That registers it, too.")
BLOCKED = N_("Meta doesn't let this number send.")
LOOK_THERE = N_("The number's page shows what Meta wants changed. We check again every two minutes.")


class Lost(Exception):
    """Our access has ended. The text says why."""


@dataclass(frozen=True)
class Snapshot:
    """Everything Meta says about a WABA at one moment."""

    token: embedded_signup.TokenInfo
    waba: wabas.Waba
    subscription: wabas.SubscribedApp | None
    numbers: dict[str, phone_numbers.PhoneNumber]
    health: dict[str, health.Health]

    @classmethod
    def fetch(cls, graph: GraphClient, token: str, meta_id: str, number_ids: list[str]) -> Self:
        """Reads the account from Meta. Raises `Lost` without access, else MetaError."""
        info = embedded_signup.debug_token(graph, token, graph.app_token)
        if not info.is_valid:
            raise Lost(REVOKED)
        try:
            numbers = {number.id: number for number in phone_numbers.of_waba(graph, token, meta_id)}
            return cls(
                token=info,
                waba=wabas.fetch(graph, token, meta_id),
                subscription=wabas.subscription(graph, token, meta_id),
                numbers=numbers,
                health={id: health.fetch(graph, token, id) for id in number_ids if id in numbers},
            )
        except MetaError as error:
            if error.code in DEAD:
                raise Lost(REVOKED) from None
            if error.code in NOT_OURS or (error.code, error.subcode) == GONE:
                raise Lost(UNSHARED) from None
            raise


def inspect(waba: Waba) -> None:
    """Stores what Meta says, pauses sending where it cannot work and resumes it where it can.

    A lost answer or a fault of Meta's pauses nothing.
    """
    Waba.lock([waba.id])
    numbers = [number for number in waba.phone_numbers if number.state in ("connected", "paused")]
    # A worker that dies here leaves `checked_at` empty, so the sweep checks the account again.
    waba.checked_at = None
    for number in numbers:
        number.probed_at = now()
    try:
        token = waba.token
    except Undecryptable:
        return pause_all(numbers, UNUSABLE_TOKEN.title)
    meta_id, ids, graph = waba.meta_id, [number.meta_id for number in numbers], outside().graph
    commit()
    if token is None:
        return None
    try:
        snapshot = Snapshot.fetch(graph, token, meta_id, ids)
    except Lost as lost:
        Waba.lock([waba.id])
        waba.checked_at = now()
        return pause_all(numbers, str(lost))
    except MetaError:
        waba.checked_at = now()
        return None
    Waba.lock([waba.id])
    db.session.refresh(waba)
    store(waba, snapshot)
    for number in numbers:
        db.session.refresh(number)
        if number.state in ("connected", "paused"):
            judge(number, snapshot)
    return None


def pause_all(numbers: list[PhoneNumber], reason: str) -> None:
    """Pauses the connected ones; a number that is paused already has the more exact reason of a webhook."""
    for number in numbers:
        if number.state == "connected":
            number.pause(reason, CONNECT_AGAIN)


def store(waba: Waba, snapshot: Snapshot) -> None:
    waba.update_from(snapshot.waba)
    waba.token_expires_at, waba.token_user_id = snapshot.token.expires_at, snapshot.token.user_id or ""
    waba.subscribed_at = (waba.subscribed_at or now()) if snapshot.subscription else None
    waba.callback_override = (
        foreign_callback(snapshot.subscription.override_callback_uri) if snapshot.subscription else ""
    )


def judge(number: PhoneNumber, snapshot: Snapshot) -> None:
    """Pauses a number that cannot send or receive; resumes one that works."""
    seen, state = snapshot.numbers.get(number.meta_id), snapshot.health.get(number.meta_id)
    if seen is None or state is None:
        return number.pause(UNSHARED, CONNECT_AGAIN)
    number.update_from(seen, state)
    if snapshot.waba.status == "DISABLED":
        number.pause(DISABLED, APPEAL)
    elif snapshot.waba.status == "DELETED":
        number.pause(DELETED, CONNECT_AGAIN)
    elif snapshot.subscription is None:
        number.pause(UNSUBSCRIBED, SUBSCRIBE_AGAIN)
    elif number.other_server:
        number.pause(OVERRIDDEN, REDIRECT)
    elif not (seen.is_registered or seen.is_on_biz_app):
        number.pause(NOT_REGISTERED, REGISTER_AGAIN)
    elif state.is_blocked:
        number.pause(BLOCKED, LOOK_THERE, receives=True)
    else:
        number.resume()
    return None
