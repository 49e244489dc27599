"""Pacing: the first messages of a template go out, the others are held until there is feedback."""

from simulator import outgoing, template_events, template_magic
from simulator.message_templates import MessageTemplate
from simulator.messages import Message

MINUTE = 60
PAUSED = 132015


def holds_next(template: MessageTemplate) -> bool:
    """True if the template's next message is held. Templates with a GREEN quality are not paced."""
    first = _first_of(template)
    if not first or template.category != "MARKETING" or template.quality == "GREEN":
        return False
    sql = "select count(*) from messages where template_id = ? and held = 0 and created_at > ?"
    sent = template.world.store.value(sql, template.id, template.paused_at or 0)
    return int(sent) >= first


def hold(template: MessageTemplate) -> None:
    """Plans the decision about the held messages, unless it is planned already."""
    steps, world = template.world.template_steps, template.world
    if steps.due_at(template.id, "release") is None:
        steps.plan(template.id, "release", world.clock.now() + world.knobs["held_for"] * MINUTE)


def decide(template: MessageTemplate) -> None:
    """Sends the held messages, or drops them all and pauses the template."""
    if template_magic.ending_of(template.name) == "_paced_badly" or template.quality == "RED":
        drop(template)
    else:
        release(template)


def release(template: MessageTemplate) -> None:
    """Good feedback: the quality is GREEN and the held messages go out."""
    template.world.template_steps.forget(template.id, "release")
    template_events.change_quality(template, "GREEN")
    for message in _held(template):
        outgoing.send_held(message)


def drop(template: MessageTemplate) -> None:
    """Bad feedback: the template is paused until somebody unpauses it, and every held message fails."""
    template.world.template_steps.forget(template.id, "release")
    if template.quality != "RED":
        template_events.change_quality(template, "RED")
    template_events.change_status(template, "PAUSED", title=template_events.RATE_LIMITING_PAUSE)
    for message in _held(template):
        template.world.timeline.plan(message.id, "failed", within=(0.1, 0.5), error_code=PAUSED)


def _first_of(template: MessageTemplate) -> int:
    if template_magic.ending_of(template.name) in ("_paced", "_paced_badly"):
        return 1
    return int(template.world.knobs["paced_first"])


def _held(template: MessageTemplate) -> list[Message]:
    return Message.where(template.world, "template_id = ? and held and status = 'accepted'", template.id)
