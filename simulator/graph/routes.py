from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request

from simulator import faults
from simulator.errors import GraphError, invalid, nonexistent
from simulator.graph import (
    access,
    authentication_templates,
    blocks,
    coexistence,
    credit,
    flows,
    invoices,
    media,
    message_samples,
    message_template_library,
    message_templates,
    messages,
    number_settings,
    oauth,
    phone_numbers,
    pricing_analytics,
    profiles,
    registration,
    subscriptions,
    template_acts,
    template_analytics,
    template_archive,
    uploads,
    users,
    verification,
    wabas,
)
from simulator.graph.answers import dress
from simulator.graph.call import Call
from simulator.graph.edges import EDGES
from simulator.graph.parameters import parameters
from simulator.phone_numbers import PhoneNumber
from simulator.tokens import Token
from simulator.wabas import Waba
from simulator.world import World

__all__ = [
    "authentication_templates",
    "blocks",
    "coexistence",
    "credit",
    "flows",
    "invoices",
    "media",
    "message_samples",
    "message_template_library",
    "message_templates",
    "messages",
    "number_settings",
    "phone_numbers",
    "pricing_analytics",
    "profiles",
    "registration",
    "subscriptions",
    "template_acts",
    "template_analytics",
    "template_archive",
    "uploads",
    "users",
    "verification",
    "wabas",
]

VERSIONS = range(21, 27)
LABELS = {"Waba": "waba", "PhoneNumber": "phone_number", "Allocation": "allocation", "Business": "business"}

graph = Blueprint("graph", __name__)
graph.after_request(dress)


@graph.url_value_preprocessor
def take_version(_: str | None, values: dict[str, Any] | None) -> None:
    g.version = (values or {}).pop("version", VERSIONS[0])
    if g.version not in VERSIONS:
        raise GraphError(2500, f"Unknown path components: {request.path}")


@graph.get("/me")
def me() -> Response:
    token = access.require_token(world())
    return faults.around(world(), "me", lambda: jsonify(oauth.me(call_by(token))))


@graph.get("/debug_token")
def debug_token() -> Response:
    token = access.require_token(world())
    return faults.around(world(), "debug_token", lambda: jsonify(oauth.debug_token(call_by(token))))


@graph.route("/oauth/access_token", methods=["GET", "POST"])
def access_token() -> Response:
    return faults.around(world(), "oauth/access_token", lambda: jsonify(oauth.access_token(world(), parameters())))


@graph.route("/upload:<name>", methods=["GET", "POST"])
def upload(name: str) -> Response:
    access.require_token(world())
    act = uploads.send if request.method == "POST" else uploads.progress
    return faults.around(world(), "upload", lambda: jsonify(act(name)))


@graph.get("/message_template_library")
def template_library() -> Response:
    token = access.require_token(world())
    return faults.around(
        world(), "message_template_library", lambda: jsonify(message_template_library.index(call_by(token)))
    )


@graph.post("/<node:node_id>/message_templates/<any(archive, unarchive):act>")
def archive(node_id: str, act: str) -> Response:
    token = access.require_token(world())
    waba = access.find_node(world(), node_id)
    if not isinstance(waba, Waba) or not access.sees(token, waba):
        raise nonexistent(request.method, node_id)
    return faults.around(world(), act, lambda: jsonify(template_archive.move(call_by(token), waba, act)))


@graph.route("/<node:node_id>/message_qrdls/<code>", methods=["GET", "DELETE"])
def message_link(node_id: str, code: str) -> Response:
    token = access.require_token(world())
    target = access.find_node(world(), node_id)
    if not isinstance(target, PhoneNumber) or not access.sees(token, target):
        raise nonexistent(request.method, node_id)
    call = call_by(token)
    act = profiles.one_link if request.method == "GET" else profiles.delete_link
    return faults.around(world(), "message_qrdls", lambda: jsonify(act(call, target, code)))


@graph.route("/<node:node_id>", methods=["GET", "POST", "DELETE"])
@graph.route("/<node:node_id>/<name>", methods=["GET", "POST", "DELETE"])
def node(node_id: str, name: str = "") -> Response:
    token = access.require_token(world())
    target = access.find_node(world(), node_id)
    if target is None or not access.sees(token, target):
        raise nonexistent(request.method, node_id)
    remember_waba(target)
    label = name or LABELS.get(type(target).__name__, "node")
    return faults.around(world(), label, lambda: jsonify(answer(token, target, name)))


def answer(token: Token, target: access.Node, name: str) -> dict[str, Any]:
    handler = EDGES.get((type(target), request.method, name))
    if handler:
        return handler(call_by(token), target)
    if request.method == "GET" and name:
        raise invalid(f"Tried accessing nonexisting field ({name}) on node type ({type(target).__name__})")
    raise nonexistent(request.method, target.id)


def call_by(token: Token) -> Call:
    return Call(world(), token, parameters())


def remember_waba(target: access.Node) -> None:
    if isinstance(target, Waba):
        g.waba_id = target.id
    elif isinstance(target, PhoneNumber):
        g.waba_id = target.waba_id


def world() -> World:
    return World.of(current_app)
