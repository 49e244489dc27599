"""Authentication templates in several languages at once, and how they will read."""

from typing import Any

from simulator import authentication_texts, template_languages, template_life
from simulator.errors import invalid
from simulator.graph import template_submissions as submissions
from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge
from simulator.graph.parameters import decode
from simulator.message_templates import MessageTemplate
from simulator.template_rules.authentication import MOST_MINUTES
from simulator.wabas import Waba

CATEGORY = "AUTHENTICATION"


@edge(Waba, "POST", "upsert_message_templates")
def upsert(call: Call, waba: Waba) -> Answer:
    """Creates the template in every language, or changes it where it exists."""
    if submissions.category_in(call) != CATEGORY:
        raise invalid(f"Param category must be one of {{{CATEGORY}}}")
    name, languages = submissions.name_in(call), _languages(call)
    ttl = submissions.ttl_in(call, CATEGORY)
    made = []
    with call.world.store.transaction():
        for language in languages:
            components = submissions.components_in(call, waba, CATEGORY, language, "POSITIONAL")
            if not MessageTemplate.by_name(call.world, waba.id, name, language):
                submissions.check_room(waba)
                submissions.check_free(waba, name, language, CATEGORY)
                submissions.note_creation(waba)
            made.append(_save(call, waba, name, language, components, ttl))
    return {"data": [{"id": one.id, "status": one.status, "language": one.language} for one in made]}


@edge(Waba, "GET", "message_template_previews")
def previews(call: Call, _: Waba) -> Answer:
    """The texts in each language; without `languages` in every one that Meta has texts for."""
    if str(call.require("category")).upper() != CATEGORY:
        raise invalid(f"Param category must be one of {{{CATEGORY}}}")
    languages = _languages(call) if call.params.get("languages") else list(authentication_texts.TEXTS)
    recommended = bool(call.flag("add_security_recommendation"))
    minutes = call.params.get("code_expiration_minutes")
    if minutes is not None and (not str(minutes).isdecimal() or not 1 <= int(minutes) <= MOST_MINUTES):
        raise invalid(f"Param code_expiration_minutes must be between 1 and {MOST_MINUTES}")
    shown = [authentication_texts.preview(one, recommended, int(minutes) if minutes else None) for one in languages]
    return {"data": shown}


def _languages(call: Call) -> list[str]:
    given = decode(call.require("languages"))
    languages = [str(one).strip() for one in (given if isinstance(given, list) else str(given).split(","))]
    if unknown := [one for one in languages if one not in template_languages.CODES]:
        raise invalid(f"Param languages has no language {unknown[0]}")
    return languages


def _save(
    call: Call, waba: Waba, name: str, language: str, components: list[dict[str, Any]], ttl: int | None
) -> MessageTemplate:
    template = MessageTemplate.save(
        call.world,
        waba,
        name,
        language,
        category=CATEGORY,
        parameter_format="POSITIONAL",
        components=components,
        status="PENDING",
        message_send_ttl_seconds=ttl,
    )
    template_life.submit(template)
    return template
