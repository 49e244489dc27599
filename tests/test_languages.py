"""In which language somebody is answered, and that nothing which is kept is in any language."""

from __future__ import annotations

import pathlib
import re
from typing import Literal

import pytest
from flask import Flask
from flask_babel import force_locale, get_locale, gettext, lazy_gettext
from sqlalchemy import select

from app import templating
from app.automation.asking import WaitForReply
from app.automation.parts import Names
from app.inbox.conversations import Conversation
from app.tenancy import Membership, User, db, tenant_scope
from app.tenancy.mails import mails_to
from app.words import N_, Language, pN_
from dev.messages import catalogues, extract, read
from tests.arrivals import arrive, conversation
from tests.client import Browser
from tests.posts import message
from tests.world import World

# What a translation has to have as its original does: places for facts, and HTML.
MARKS = re.compile(r"%\(\w+\)[sd]|\{\{\s*[\w.]+|\{\w*\}|</?[a-z][^>]*>")


@pytest.mark.parametrize(
    ("requested", "language"),
    [
        *(("de-AT,de;q=0.9", "de"), ("de-AT,en;q=0.5", "de"), ("de;q=0,en", "en"), ("pt-BR", "en")),
        *(("fr,de;q=0.5", "de"), ("", "en"), ("*", "en"), ("xx;;q=,,", "en")),
    ],
)
def test_the_browsers_language_is_used_where_it_exists(
    app: Flask, monkeypatch: pytest.MonkeyPatch, requested: str, language: str
) -> None:
    monkeypatch.setattr(templating, "languages", lambda: ["en", "de"])
    with app.test_request_context(headers={"Accept-Language": requested}):
        assert templating.choose_language() == language


def test_the_language_that_a_person_chose_comes_before_the_browsers(app: Flask, ben: Browser) -> None:
    german = {"Accept-Language": "de"}
    assert '<html lang="de" dir="ltr">' in ben.get("~/account", headers=german).text
    assert ben.post("~/account/language", {"language": "ar"}, headers=german).location == "/t/bakery/account"
    page = ben.get("~/account", headers=german).text
    assert '<html lang="ar" dir="rtl">' in page
    with app.app_context(), force_locale("ar"):
        assert gettext("Language saved.") in page
    ben.post("~/account/language", {"language": ""})
    assert '<html lang="de"' in ben.get("~/account", headers=german).text


def test_only_a_language_that_there_is_can_be_chosen(ben: Browser) -> None:
    assert ben.post("~/account/language", {"language": "tlh"}).status_code == 422
    assert '<html lang="en"' in ben.get("~/account").text


@pytest.mark.parametrize(
    ("chosen", "browsers", "language"),
    [("fr", "de", "fr"), (None, "de", "de"), ("tlh", "de", "de"), (None, None, "en"), (None, "tlh", "en")],
)
def test_a_mail_is_in_the_language_of_who_gets_it(
    app: Flask, chosen: str | None, browsers: str | None, language: str
) -> None:
    person = User(email="a@example.com", name="A", language=chosen, browser_language=browsers)
    with app.app_context(), templating.in_language_of(person):
        assert str(get_locale()) == language


def test_mails_to_several_are_each_in_their_own(world: World) -> None:
    with tenant_scope(world.bakery.id):
        members = db.session.scalars(select(Membership).order_by(Membership.id).limit(2)).all()
        for member, language in zip(members, ("de", "fr"), strict=True):
            member.user.language = language
        mails = mails_to(members, lambda user: (str(get_locale()), user.name))
        assert mails == [(each.user.email, each.user.language, each.user.name) for each in members]


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.parent.parent.name)
def test_a_translation_has_the_places_and_marks_of_its_original(path: pathlib.Path) -> None:
    catalogue, wrong = read(path, path.parent.parent.name), []
    for entry in catalogue:
        originals = [entry.id] if isinstance(entry.id, str) else list(entry.id)
        translations = [entry.string] if isinstance(entry.string, str) else list(entry.string or ())
        if not entry.id or not any(translations):
            continue
        marks = [sorted(MARKS.findall(each)) for each in (*originals, *translations)]
        # Where there are several forms, those of one and two need no number.
        is_plural = len(originals) > 1
        wrong += [originals[0]] if any(each != marks[0] for each in marks) and not is_plural else []
        wrong += [originals[0]] if is_plural and not all(set(each) <= set(marks[1]) for each in marks) else []
    assert wrong == []


@pytest.mark.parametrize(
    ("words", "spanish"),
    [
        (N_("Open"), "Abrir"),
        (pN_("of a conversation", "Open"), "Abierta"),
        (pN_("of a record", "Open"), "Abierto"),
        (pN_("noun", "Reply"), "Respuesta"),
    ],
)
def test_words_are_translated_by_what_they_are_about(app: Flask, words: str, spanish: str) -> None:
    with app.test_request_context(), force_locale("es"):
        shown = app.jinja_env.from_string("{{ _(words) }}, {{ words | translated }}").render(words=words)
        assert [gettext(words), str(lazy_gettext(words)), *shown.split(", ")] == [spanish] * 4
    with app.test_request_context():
        assert gettext(words) == templating.READER.gettext(words) == str(words)


def test_a_template_names_what_its_words_are_about(app: Flask) -> None:
    page = app.jinja_env.from_string("{{ _('Reply') }}, {{ pgettext('noun', 'Reply') }}")
    with app.test_request_context(), force_locale("de"):
        assert page.render() == "Antworten, Antwort"


def test_a_context_comes_into_the_catalogues(tmp_path: pathlib.Path) -> None:
    extract(tmp_path / "messages.pot")
    wanted = read(tmp_path / "messages.pot")
    assert {entry.context for entry in wanted if entry.id == "Owner"} == {None, "of a listing", "of a record"}


@pytest.mark.parametrize(
    ("language", "listed", "share", "price"),
    [
        ("en", "“A”, “B”, “C”", "12.5%", "Price:"),
        ("de", "„A“, „B“ und „C“", "12,5\u00a0%", "Price:"),
        ("fr", "«\u00a0A\u00a0», «\u00a0B\u00a0» et «\u00a0C\u00a0»", "12,5\u00a0%", "Price\u00a0:"),
    ],
)
def test_a_list_a_share_and_a_colon_are_written_as_the_language_does(
    app: Flask, language: str, listed: str, share: str, price: str
) -> None:
    with app.test_request_context(), force_locale(language):
        assert templating.listed(map(templating.quoted, "ABC")) == listed
        assert (templating.percent("12.5"), templating.colon("Price")) == (share, price)


@pytest.mark.parametrize(
    ("amount", "unit", "sentence"),
    [
        (1, "minutes", "Wait for a reply, at most 1 minute"),
        (1, "days", "Wait for a reply, at most 1 day"),
        (2, "hours", "Wait for a reply, at most 2 hours"),
    ],
)
def test_one_is_not_several(app: Flask, amount: int, unit: Literal["minutes", "hours", "days"], sentence: str) -> None:
    with app.test_request_context():
        assert WaitForReply(amount=amount, unit=unit).sentence(Names()) == sentence


def test_a_job_speaks_the_default(app: Flask) -> None:
    assert templating.choose_language() is None


def test_the_same_row_reads_differently_to_different_people(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.connect_numbers()
    arrive(message(type="image", image={"id": "1", "caption": "Look"}))
    german = Language({"Photo: {words}": "Foto: {words}"}.__getitem__, lambda one, many, count: many)
    with tenant_scope(world.bakery.id):
        talk = Conversation.get_or_404(conversation(world).id)
        assert (talk.last_message_preview, talk.last_message_facts) == ("Look", {"kind": "image"})
        assert talk.last_line == "Photo: Look"
        monkeypatch.setattr("app.inbox.conversations.conversations.READER", german)
        assert talk.last_line == "Foto: Look"
