"""Creates clients of the partner without the popup, ready to use or just signed up."""

from dataclasses import dataclass

from simulator.allocations import Allocation
from simulator.businesses import Business
from simulator.codes import Code
from simulator.context import Context
from simulator.dialing import country_of
from simulator.foreign_lines import attach_credit
from simulator.phone_numbers import PhoneNumber
from simulator.sharing import share_with_partner
from simulator.tokens import Token
from simulator.wabas import Waba

PIN = "000000"


@dataclass(frozen=True)
class ClientOptions:
    registered: bool = True
    subscribed: bool = True
    credit: bool = True


def sign_up(world: Context, name: str, digits: str) -> PhoneNumber:
    """Creates a client as the signup dialog leaves it: number verified and shared, not registered."""
    existing = PhoneNumber.where(world, "digits = ?", digits)
    if existing:
        if not existing[0].registered:
            existing[0].sign_up()
        return existing[0]
    with world.store.transaction():
        waba = Waba.open(Business.open(world, name, country_of(digits)), name)
        number = PhoneNumber.add(waba, digits, name, verified=True)
        number.sign_up()
        share_with_partner(waba)
    return number


def share_account(world: Context, name: str) -> Waba:
    """Creates an account and shares it without a number."""
    with world.store.transaction():
        waba = Waba.open(Business.open(world, name, "US"), name)
        share_with_partner(waba)
    return waba


def ready(world: Context, name: str, digits: str, options: ClientOptions) -> PhoneNumber:
    """Creates a client with a number that is registered, subscribed and paid for, as chosen."""
    existing = PhoneNumber.where(world, "digits = ?", digits)
    with world.store.transaction():
        number = sign_up(world, name, digits)
        if not existing:
            _apply(world, number, options)
    return number


def token_for(world: Context, number: PhoneNumber) -> Token:
    """Returns the client's newest valid token for this number, or a new one that never expires."""
    waba = number.waba
    tokens = Token.where(world, "business_id = ? and revoked_at is null order by issued_at desc", waba.business_id)
    working = (token for token in tokens if token.alive and waba.id in token.wabas)
    return next(working, None) or Token.issue(world, waba.business, days=0)


def code_for(world: Context, number: PhoneNumber) -> Code:
    """Issues an authorization code whose lifetime has started."""
    code = Code.issue(world, number.waba.business)
    code.start_lifetime()
    return code


def _apply(world: Context, number: PhoneNumber, options: ClientOptions) -> None:
    waba = number.waba
    if options.registered:
        number.register(PIN)
    if options.subscribed:
        waba.subscribe()
    if options.credit:
        attach_credit(waba, Allocation.share(world, waba.business_id), "USD")
