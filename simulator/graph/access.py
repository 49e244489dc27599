"""Which nodes a token has access to."""

from dataclasses import dataclass

from flask import request

from simulator.allocations import Allocation
from simulator.businesses import Business
from simulator.errors import GraphError
from simulator.flows import Flow
from simulator.media import Media
from simulator.message_templates import MessageTemplate
from simulator.phone_numbers import PhoneNumber
from simulator.tokens import Token
from simulator.wabas import Waba
from simulator.world import World


@dataclass(frozen=True)
class App:
    id: str


@dataclass(frozen=True)
class Partner:
    """The partner's own portfolio."""

    id: str


@dataclass(frozen=True)
class CreditLine:
    id: str


Node = App | Partner | CreditLine | Business | Waba | PhoneNumber | Allocation | Media | MessageTemplate | Flow


def find_node(world: World, node_id: str) -> Node | None:
    """The node with the id, of whatever kind."""
    settings = world.settings
    fixed: dict[str, type[App | Partner | CreditLine]] = {
        settings.app_id: App,
        settings.business_id: Partner,
        settings.credit_line_id: CreditLine,
    }
    if node_id in fixed:
        return fixed[node_id](node_id)
    return (
        PhoneNumber.find(world, node_id)
        or Waba.find(world, node_id)
        or Business.find(world, node_id)
        or Allocation.find(world, node_id)
        or _if_alive(Media.find(world, node_id))
        or MessageTemplate.find(world, node_id)
        or Flow.find(world, node_id)
    )


def sees(token: Token, node: Node) -> bool:
    """True if the token has access to the node."""
    match node:
        case App():
            return True
        case Waba():
            return _sees_waba(token, node)
        case PhoneNumber():
            return _sees_waba(token, node.waba)
        case Media():
            number = PhoneNumber.find(token.world, node.phone_number_id)
            return number is not None and _sees_waba(token, number.waba)
        case MessageTemplate() | Flow():
            waba = Waba.find(token.world, node.waba_id)
            return waba is not None and _sees_waba(token, waba)
        case Business():
            return token.business_id == node.id or any(_sees_waba(token, waba) for waba in Waba.shared_by(node))
        case CreditLine():
            return token.kind == "system" or _holds_share(token)
        case _:
            return token.kind == "system"


def _if_alive(media: Media | None) -> Media | None:
    return media if media and media.alive else None


def _sees_waba(token: Token, waba: Waba) -> bool:
    if token.kind == "business":
        return waba.id in token.wabas
    return token.kind == "system" and waba.shared_at is not None


def _holds_share(token: Token) -> bool:
    return token.business_id is not None and Allocation.active_for(token.world, token.business_id) is not None


def is_assigned(world: World, waba: Waba, user_id: str) -> bool:
    """True if the system user is assigned to the account."""
    row = world.store.row("select 1 from assigned_users where waba_id = ? and user_id = ?", waba.id, user_id)
    return row is not None


def require_token(world: World) -> Token:
    """Returns the caller's valid token, or raises Meta's error."""
    text = _token_text()
    if not text:
        raise GraphError(2500)
    token = Token.recognise(world, text)
    if token is None:
        raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")
    if token.expired:
        raise GraphError(190, "Error validating access token: Session has expired.", subcode=463)
    if not token.alive:
        raise GraphError(190, "Error validating access token: The session has been invalidated.", subcode=467)
    return token


def _token_text() -> str:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme in ("Bearer", "OAuth"):
        return bearer.strip()
    return request.values.get("access_token", "")
