"""The texts of the help, which page each belongs to, and how they are searched."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from flask import render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from jinja2.filters import do_striptags

from app.folding import fold
from app.words import N_

LONGEST_QUERY = 100
# What ends a line of text in a topic's template.
BREAK = re.compile(r"</(?:p|li|h3|dt|dd)>")


@dataclass(frozen=True)
class Topic:
    """A text of its own template. `pages` are endpoints, or beginnings of them such as `contacts.`."""

    name: str
    title: str
    pages: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return str(_(self.title))

    @property
    def template(self) -> str:
        return f"help/topics/{self.name}.html"

    @property
    def address(self) -> str:
        return str(url_for("help.topic", name=self.name))

    @property
    def lines(self) -> list[str]:
        """Its text without markup, a paragraph a line."""
        return lines_of(self.template, str(get_locale()))


TOPICS = (
    Topic("first-steps", N_("First steps"), ("tenancy.", "team.businesses", "team.new_business", "welcome.")),
    Topic("inbox", N_("The inbox"), ("inbox.", "inbox.index", "inbox.saved_views", "inbox.number_settings")),
    Topic("replying", N_("Replying, and the 24-hour reply window"), ("inbox.show", "inbox.compose", "inbox.schedule")),
    Topic("saved-replies", N_("Canned replies and macros"), ("inbox.canned_replies", "inbox.macros")),
    Topic("templates", N_("Message templates"), ("inbox.template", "message_templates.")),
    Topic(
        "writing-templates",
        N_("Writing templates that get approved"),
        (
            "message_templates.new",
            "message_templates.draft",
            "message_templates.create",
            "message_templates.save_draft",
            "message_templates.gallery",
            "message_templates.library",
        ),
    ),
    Topic("notifications", N_("Notifications: messages your systems send"), ("notifications.",)),
    Topic("payments", N_("Payments"), ("payments.",)),
    Topic("subscriptions", N_("Subscriptions and their reminders"), ("subscriptions.",)),
    Topic("flows", N_("WhatsApp Flows: forms in WhatsApp"), ("whatsapp_flows.",)),
    Topic("links-and-buttons", N_("Links, buttons and QR codes"), ("entry_points.",)),
    Topic("listings", N_("Listings, saved searches and inquiries"), ("listings.",)),
    Topic("appointments", N_("Appointments and their reminders"), ("appointments.",)),
    Topic("search", N_("Searching"), ("inbox.search",)),
    Topic("contacts", N_("Contacts, tags and fields"), ("contacts.", "people.")),
    Topic(
        "imports",
        N_("Importing and exporting contacts"),
        ("contacts.new_import", "contacts.show_import", "contacts.exports"),
    ),
    Topic("records", N_("Records of other systems, and the pipeline"), ("records.",)),
    Topic("crm", N_("HubSpot and Pipedrive"), ("crm.",)),
    Topic("connecting", N_("Connecting a number"), ("onboarding.", "numbers.index")),
    Topic("numbers", N_("A number: profile, links, health"), ("numbers.",)),
    Topic("assistant", N_("The assistant"), ("assistant.",)),
    Topic("hours", N_("Business hours, targets and the survey"), ("hours.",)),
    Topic("team", N_("Team, roles and teams"), ("team.",)),
    Topic("push", N_("Your notifications"), ("push.",)),
    Topic("reports", N_("Reports: how each figure is counted"), ("analytics.",)),
    Topic("keyboard", N_("Keyboard shortcuts"), ("inbox.shortcuts",)),
    Topic("not-sent", N_("Why a message wasn't sent"), ("stories.",)),
    Topic("api-keys", N_("API keys"), ("developers.",)),
    Topic("automation", N_("Automation, and why it did or didn't run"), ("automation.",)),
    Topic("webhooks", N_("Webhooks: telling your own programs"), ("hooks.",)),
    Topic("prices", N_("Prices: what Meta charges"), ("front.",)),
    Topic("costs", N_("Costs: what your messages cost"), ("costs.", "closing.")),
    Topic(
        "security",
        N_("Security, sign-in and privacy"),
        ("team.account", "team.confirm", "team.looks", "team.two_step", "team.turn_on_two_step"),
    ),
    Topic("console", N_("The platform console"), ("platform.", "posts.", "held.")),
)
BY_NAME = {topic.name: topic for topic in TOPICS}


@functools.lru_cache(maxsize=256)
def lines_of(template: str, _language: str) -> list[str]:
    parts = BREAK.split(render_template(template))
    return [line for part in parts if (line := str(do_striptags(part)))]


def topic_of(endpoint: str | None) -> Topic | None:
    """The topic of a page: the longest of its `pages` that the endpoint begins with."""
    matching = [(len(page), topic) for topic in TOPICS for page in topic.pages if (endpoint or "").startswith(page)]
    return max(matching, key=lambda pair: pair[0])[1] if matching else None


def help_address() -> str:
    """Of the help on the page that is being shown; of the list of topics where it has none."""
    topic = topic_of(request.endpoint)
    return topic.address if topic else str(url_for("help.index"))


@dataclass(frozen=True)
class Hit:
    topic: Topic
    line: str


def search(words: str) -> list[Hit]:
    """The topics with all these words, those with one in the title first, each with the first line that has one."""
    wanted = fold(words[:LONGEST_QUERY]).split()
    return sorted(hits(wanted), key=lambda hit: not any(word in fold(hit.topic.words) for word in wanted))


def hits(wanted: list[str]) -> Iterator[Hit]:
    for topic in TOPICS:
        lines = topic.lines
        text = fold(" ".join([topic.words, *lines]))
        if wanted and all(word in text for word in wanted):
            yield Hit(topic, next((line for line in lines if any(word in fold(line) for word in wanted)), lines[0]))
