"""A template from its submission on: review, verdict, and what time does to it."""

from simulator import template_events, template_magic, template_pacing, template_reviews
from simulator.context import Context
from simulator.message_templates import GENERATED, MessageTemplate
from simulator.wabas import Waba
from simulator.webhooks import publishing

DAY = 86400
UNUSED_FOR, ARCHIVED_FOR = 365 * DAY, 28 * DAY


def submit(template: MessageTemplate) -> None:
    """Plans the review, unless it is done by hand or the name prevents it."""
    world = template.world
    ending = template_magic.ending_of(template.name)
    if ending == "_approved":
        template.update(status="APPROVED")
    elif ending != "_slow" and world.happens("review_by_itself"):
        world.template_steps.plan(template.id, "review", world.clock.after(world.knobs["review_after"]))


def review(template: MessageTemplate) -> None:
    """Decides about a template that waits, announces it, and plays what its name promises for afterwards."""
    if template.status != "PENDING":
        return
    with template.world.store.transaction():
        verdict = template_reviews.verdict_on(template)
        if verdict.category and verdict.category != template.category and verdict.status == "APPROVED":
            template_events.change_category(template, verdict.category)
        template_events.change_status(template, verdict.status, verdict.reason, advice=verdict.advice)
        _play_on(template)


def _play_on(template: MessageTemplate) -> None:
    match template_magic.ending_of(template.name):
        case "_recategorised":
            template_events.announce_category(template, "MARKETING")
        case "_flagged":
            template_events.change_status(template, "FLAGGED")
        case "_paused":
            template_events.take_bad_feedback(template)
            template_events.take_bad_feedback(template)
        case "_disabled":
            template_events.change_status(template, "DISABLED")


def take_step(world: Context, template_id: str, act: str) -> None:
    """Takes a step that was planned."""
    template = MessageTemplate.find(world, template_id)
    if template is None:
        return
    match act:
        case "review":
            review(template)
        case "unpause" if template.status == "PAUSED":
            template_events.change_status(template, "APPROVED")
        case "category" if template.correct_category:
            template_events.change_category(template, template.correct_category)
        case "release":
            template_pacing.decide(template)
        case "deletion":
            template_events.finish_deletion(template)


def archive_unused(world: Context) -> int:
    """Archives what was not sent for a year, and deletes what has been archived for 28 days."""
    now = world.clock.now()
    unused = """
        status = 'APPROVED' and source != ? and max(coalesce(used_at, 0), created_at) < ?
        and waba_id in (select id from wabas where auto_archival)"""
    sleeping = MessageTemplate.where(world, unused, GENERATED, now - UNUSED_FOR)
    for template in sleeping:
        archive(template)
    forgotten = MessageTemplate.where(world, "status = 'ARCHIVED' and archived_at < ?", now - ARCHIVED_FOR)
    for template in forgotten:
        template_events.finish_deletion(template)
    return len(sleeping) + len(forgotten)


def restrict_utility(waba: Waba, days: float) -> None:
    """Takes utility templates from an account that misused them, or gives them back; with the webhook."""
    until = waba.world.clock.now() + days * DAY if days > 0 else None
    waba.update(utility_restricted_until=until)
    if until:
        kind = {"restriction_type": "RESTRICTED_UTILITY_TEMPLATES", "expiration": int(until)}
        value = {"event": "ACCOUNT_RESTRICTION", "restriction_info": [kind]}
        publishing.publish_for_waba(waba, "account_update", value)


def archive(template: MessageTemplate) -> None:
    """Archives the template: it can no longer be sent."""
    template.update(archived_at=template.world.clock.now())
    template_events.change_status(template, "ARCHIVED")


def unarchive(template: MessageTemplate) -> None:
    """Takes the template out of the archive, as if it had just been used."""
    template.update(archived_at=None, used_at=template.world.clock.now())
    template_events.change_status(template, "APPROVED", event="UNARCHIVED")
