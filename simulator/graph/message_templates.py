from typing import Any

from simulator import template_events, template_life, template_reviews
from simulator.errors import GraphError, invalid
from simulator.graph import template_submissions as submissions
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.graph.health import template_health
from simulator.graph.parameters import decode
from simulator.message_templates import GENERATED, MessageTemplate
from simulator.template_rules.refusals import (
    GENERATED_DELETE,
    GENERATED_EDIT,
    NOT_EDITABLE,
    NOT_FOUND,
    refusal,
)
from simulator.wabas import Waba

SHOWN = ("name", "parameter_format", "components", "language", "status", "category", "id")
EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
FILTERS = ("status", "category", "language", "source", "correct_category")
MOST_AT_ONCE = 100


@edge(Waba, "GET", "message_templates")
def index(call: Call, waba: Waba) -> Answer:
    templates = MessageTemplate.of_waba(waba)
    with_health = "health_status" in str(call.params.get("fields"))
    matching = [describe(one, waba, with_health) for one in templates if _matches(one, call.params)]
    shown = (*SHOWN, "correct_category", "source") if call.params.get("source") else SHOWN
    answer = call.page(matching, "WhatsAppMessageTemplate", shown)
    if summary := call.params.get("summary"):
        counts = {
            "total_count": len(matching),
            "message_template_count": len(templates),
            "message_template_limit": submissions.most_templates(waba),
            "are_translations_complete": True,
        }
        answer["summary"] = {name: counts[name] for name in str(summary).split(",") if name in counts}
    return answer


@edge(Waba, "POST", "message_templates")
def create(call: Call, waba: Waba) -> Answer:
    """A new template waits for Meta's review; one from the library needs none."""
    with call.world.store.transaction():
        template = _save_new(call, waba)
        answer = {"id": template.id, "status": template.status, "category": template.category}
    if template.status == "PENDING" and call.world.happens("review_before_answer"):
        template_life.review(template)
        call.world.sender.send_due()
    return answer


def _save_new(call: Call, waba: Waba) -> MessageTemplate:
    name, language, category = (
        submissions.name_in(call),
        submissions.language_in(call),
        submissions.category_in(call),
    )
    submissions.check_room(waba)
    submissions.check_free(waba, name, language, category)
    columns: dict[str, Any] = {
        "message_send_ttl_seconds": submissions.ttl_in(call, category),
        "cta_url_link_tracking_opted_out": call.flag("cta_url_link_tracking_opted_out"),
    }
    if call.params.get("library_template_name"):
        library, components = submissions.from_library(call, category, language)
        columns |= {"library_template_name": library.name, "status": "APPROVED", "parameter_format": "POSITIONAL"}
    else:
        columns |= {"status": "PENDING", "parameter_format": submissions.format_in(call)}
        components = submissions.components_in(call, waba, category, language, columns["parameter_format"])
        category = _category_for(waba, category, components)
    template = MessageTemplate.save(
        call.world, waba, name, language, category=category, components=components, **columns
    )
    submissions.note_creation(waba)
    if template.status == "PENDING":
        template_life.submit(template)
    return template


def _category_for(waba: Waba, category: str, components: list[dict[str, Any]]) -> str:
    """A utility template that advertises becomes a marketing one; a restricted account may make no utility ones."""
    if category == "UTILITY" and waba.is_utility_restricted:
        raise refusal(None, "This account can't create utility templates because it has used them for other messages.")
    return "MARKETING" if category == "UTILITY" and template_reviews.looks_promotional(components) else category


@edge(MessageTemplate, "POST")
def change(call: Call, template: MessageTemplate) -> Answer:
    """New components replace all; then the template is reviewed again."""
    _check_editable(template)
    category = submissions.category_in(call) if call.params.get("category") else template.category
    if category != template.category and template.status == "APPROVED":
        raise refusal(None, "The category of an approved template can't be changed.")
    if category != template.category and "components" not in call.params:
        _check_category_change(template, category)
    changed = _changes(call, template, category)
    if not changed and category == template.category:
        raise invalid("Give components, category, message_send_ttl_seconds or cta_url_link_tracking_opted_out.")
    with call.world.store.transaction():
        if template.status == "APPROVED":
            template.count_edit()
        template.update(category=category, **changed)
        if "components" in changed:
            template_events.announce_components(template)
        if "components" in changed or template.status == "REJECTED":
            _review_again(template)
    return SUCCESS | {"id": template.id, "name": template.name, "category": template.category}


def _check_editable(template: MessageTemplate) -> None:
    if template.source == GENERATED:
        raise refusal(GENERATED_EDIT, "Templates that Direct Send has generated can't be updated.")
    if template.status not in EDITABLE:
        raise refusal(NOT_EDITABLE, f"A template in status {template.status} can't be edited.")
    if template.status == "APPROVED" and not template.may_be_edited_again:
        sentence = "An approved template can be edited once in 24 hours and 10 times in 30 days."
        raise refusal(None, sentence, "Message template edit limit reached")


def _check_category_change(template: MessageTemplate, category: str) -> None:
    """Between authentication and the others the components change as well."""
    if "AUTHENTICATION" in (template.category, category):
        raise refusal(None, f"A template of the category {category} needs other components.")


def _changes(call: Call, template: MessageTemplate, category: str) -> dict[str, Any]:
    """The columns that the call changes."""
    changed: dict[str, Any] = {}
    if "components" in call.params:
        changed["parameter_format"] = submissions.format_in(call, template.parameter_format)
        parts = submissions.components_in(call, template.waba, category, template.language, changed["parameter_format"])
        changed["components"] = MessageTemplate.as_text(parts)
        if template.library_template_name:
            changed["library_template_name"] = None
    if (ttl := submissions.ttl_in(call, category)) is not None:
        changed["message_send_ttl_seconds"] = ttl
    if (opted_out := call.flag("cta_url_link_tracking_opted_out")) is not None:
        changed["cta_url_link_tracking_opted_out"] = opted_out
    return changed


def _review_again(template: MessageTemplate) -> None:
    """The template waits for its review, unless an edited one stays live until that is over."""
    if template.status == "APPROVED" and template.world.happens("edit_stays_live"):
        return
    template.update(status="PENDING")
    template_life.submit(template)


@edge(Waba, "DELETE", "message_templates")
def delete(call: Call, waba: Waba) -> Answer:
    """By name in every language, with `hsm_id` in one, or up to a hundred by `hsm_ids`."""
    matching = _named_by(call, waba) if "hsm_ids" not in call.params else _listed_in(call, waba)
    for template in matching:
        if template.source == GENERATED:
            raise refusal(GENERATED_DELETE, "Templates that Direct Send has generated can't be deleted.")
        if template.status == "DISABLED":
            raise refusal(None, "A disabled template can't be deleted.")
    with call.world.store.transaction():
        for template in matching:
            template_events.delete(template)
    return SUCCESS


def _named_by(call: Call, waba: Waba) -> list[MessageTemplate]:
    name, one = str(call.require("name")), str(call.params.get("hsm_id") or "")
    templates = MessageTemplate.where(call.world, "waba_id = ? and name = ?", waba.id, name)
    return _existing([template for template in templates if one in ("", template.id)], 1)


def _listed_in(call: Call, waba: Waba) -> list[MessageTemplate]:
    """All or nothing."""
    given = decode(call.params["hsm_ids"])
    ids = [str(one) for one in (given if isinstance(given, list) else str(given).split(","))]
    if call.params.get("name") or call.params.get("hsm_id"):
        raise invalid("Param hsm_ids can't be given together with name or hsm_id.")
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise invalid(f"Param hsm_ids must hold 1 to {MOST_AT_ONCE} ids.")
    templates = [template for template in MessageTemplate.of_waba(waba) if template.id in ids]
    return _existing(templates, len(set(ids)))


def _existing(templates: list[MessageTemplate], expected: int) -> list[MessageTemplate]:
    here = [template for template in templates if template.status != "PENDING_DELETION"]
    if len(here) < expected:
        raise GraphError(100, "The template does not exist.", subcode=NOT_FOUND)
    return here


@edge(MessageTemplate, "GET")
def show(call: Call, template: MessageTemplate) -> Answer:
    return call.project(describe(template, template.waba), "WhatsAppMessageTemplate", SHOWN)


def _matches(template: MessageTemplate, params: dict[str, Any]) -> bool:
    """Every filter that is given, without regard to case; names and contents match in part."""
    texts = [str(part.get("text", "")) for part in template.parts]
    content = "\n".join(texts).lower()
    wanted = {name: value for name, value in params.items() if value not in (None, "")}
    if any(not _is_one_of(getattr(template, name) or "", wanted[name]) for name in FILTERS if name in wanted):
        return False
    if "quality_score" in wanted and not _is_one_of(template.quality, wanted["quality_score"]):
        return False
    if "name" in wanted and str(wanted["name"]).lower() not in template.name:
        return False
    if "content" in wanted and str(wanted["content"]).lower() not in content:
        return False
    either = str(wanted.get("name_or_content", "")).lower()
    return either in template.name or either in content


def _is_one_of(value: str, wanted: Any) -> bool:
    choices = wanted if isinstance(wanted, list) else str(wanted).split(",")
    return value.lower() in [str(choice).strip().lower() for choice in choices]


def describe(template: MessageTemplate, waba: Waba, with_health: bool = True) -> dict[str, Any]:
    """All fields of a template; its health only where it is requested."""
    return {
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "previous_category": template.previous_category,
        "correct_category": template.correct_category,
        "sub_category": template.sub_category,
        "parameter_format": template.parameter_format,
        "components": template.parts,
        "library_template_name": template.library_template_name,
        "message_send_ttl_seconds": template.message_send_ttl_seconds,
        "cta_url_link_tracking_opted_out": bool(template.cta_url_link_tracking_opted_out),
        "quality_score": {"score": template.quality, "date": int(template.quality_at or template.created_at)},
        "rejected_reason": template.rejected_reason,
        "source": template.source if template.source == GENERATED else None,
        "degrees_of_freedom_spec": None,
        "bid_spec": None,
        "health_status": template_health(template, waba) if with_health else None,
    }
