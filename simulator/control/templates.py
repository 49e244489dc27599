"""Meta's side of templates: decisions, the library of endings, misuse, Direct Send and groups."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator import direct_send, filling, template_events, template_life, template_magic, template_pacing
from simulator.control import lists
from simulator.control.body import member, phone_number_member, refuse, require_record, waba_member, world
from simulator.message_templates import CATEGORIES, STATUSES, MessageTemplate
from simulator.template_groups import TemplateGroup

templates = Blueprint("control_templates", __name__, url_prefix="/control/api")
# What a seeded template may have besides its definition.
SEEDED = (
    "quality",
    "rejected_reason",
    "correct_category",
    "previous_category",
    "source",
    "library_template_name",
    "message_send_ttl_seconds",
)
ACTS: dict[str, Callable[[MessageTemplate], None]] = {
    "review": template_life.review,
    "bad_feedback": template_events.take_bad_feedback,
    "pause": lambda template: template_events.change_status(template, "PAUSED"),
    "unpause": lambda template: template_events.change_status(template, "APPROVED"),
    "appeal": lambda template: template_events.change_status(template, "IN_APPEAL"),
    "reinstate": lambda template: template_events.change_status(template, "REINSTATED"),
    "archive": template_life.archive,
    "unarchive": template_life.unarchive,
    "release": template_pacing.release,
    "drop": template_pacing.drop,
    "report_misuse": lambda template: template_events.report_misuse(template, "MARKETING"),
    "delete": template_events.delete,
}


@templates.get("/templates")
def index() -> Response:
    """Lists the templates of every account."""
    return jsonify(templates=lists.records(world(), MessageTemplate))


@templates.post("/templates")
def save() -> Response:
    """Seeds one template of a WABA without a review, or changes it: one per name and language."""
    body = request.get_json()
    category, status = str(member("category", "UTILITY")), str(member("status", "APPROVED"))
    if category not in CATEGORIES or status not in STATUSES:
        refuse(400, f"category must be one of {CATEGORIES}, status one of {STATUSES}")
    template = MessageTemplate.save(
        world(),
        waba_member(),
        str(member("name")),
        str(member("language", "en_US")),
        category=category,
        status=status,
        parameter_format=_parameter_format(member("components")),
        components=member("components"),
        **{name: body[name] for name in SEEDED if name in body},
    )
    return jsonify(template.as_dict())


@templates.post("/templates/<template_id>")
def change(template_id: str) -> Response:
    """`act`, `status` (with `reason`, `title`, `advice`), `quality`, `category`, `correct_category` or `components`."""
    template = require_record(MessageTemplate.find(world(), template_id), "template")
    body = request.get_json(silent=True) or {}
    if (status := body.get("status")) in STATUSES:
        template_events.change_status(template, status, body.get("reason"), body.get("title"), body.get("advice"))
    elif (quality := body.get("quality")) in template_events.QUALITIES:
        template_events.change_quality(template, quality)
    elif (category := body.get("category")) in CATEGORIES:
        template_events.change_category(template, category)
    elif (category := body.get("correct_category")) in CATEGORIES:
        template_events.announce_category(template, category)
    elif components := body.get("components"):
        template_events.change_components(template, components)
    elif (act := body.get("act")) in ACTS:
        ACTS[act](template)
    else:
        names = "a status, a quality, a category, a correct_category or components, as Meta names them"
        refuse(400, f"Give {names}, or an act: {', '.join(ACTS)}")
    return jsonify(template.as_dict())


@templates.get("/template-endings")
def endings() -> Response:
    """Lists the endings of names that decide a review."""
    return jsonify(endings=template_magic.ENDINGS)


@templates.post("/direct-send")
def set_direct_send() -> Response:
    """`state` is off, on, authentication (on for codes too) or blocked; `media` allows media headers."""
    waba, state = waba_member(), str(member("state", "on"))
    if state not in direct_send.STATES:
        refuse(400, f"state must be one of {', '.join(direct_send.STATES)}")
    direct_send.set_access(waba, state, bool(member("media", True)))
    return jsonify(waba.as_dict())


@templates.post("/utility-restrictions")
def restrict() -> Response:
    """For `days` the account may neither create nor send utility templates (131064); 0 ends it."""
    waba, days = waba_member(), float(member("days", 7))
    template_life.restrict_utility(waba, days)
    return jsonify(waba.as_dict())


@templates.post("/template-groups")
def add_group() -> Response:
    """Adds a group of `template_ids`, for its analytics."""
    ids = [str(id) for id in member("template_ids")]
    group = TemplateGroup.add(waba_member(), str(member("name", "group")), ids)
    return jsonify(id=group.id, template_ids=group.members)


@templates.post("/business-verification")
def verify() -> Response:
    """Verifies the business of a number or takes it back; it then may have more templates."""
    waba = waba_member()
    waba.business.update(verified=int(bool(member("verified", True))))
    if request.get_json().get("phone_number_id"):
        phone_number_member().update(name_status="APPROVED")
    return jsonify(verified=bool(waba.business.verified))


def _parameter_format(components: list[dict[str, Any]]) -> str:
    """POSITIONAL if every variable is a number, else NAMED; a template cannot mix both."""
    texts = [str(part.get("text", "")) for part in components if str(part.get("type")).upper() in ("HEADER", "BODY")]
    variables = [name for text in texts for name in filling.variables_of(text)]
    given = str(
        member("parameter_format", "NAMED" if any(not name.isdecimal() for name in variables) else "POSITIONAL")
    )
    if given == "POSITIONAL" and any(not name.isdecimal() for name in variables):
        refuse(400, "a template with named variables has the parameter_format NAMED")
    return given
