"""What customers answer to reminders, and what they read then."""

from __future__ import annotations

import pytest

from app.appointments import phrases
from app.appointments.answers import AnswerToken
from app.appointments.typed import answer_in
from app.hours.models import ServicePolicy
from app.inbox.conversations import Message
from app.tenancy import db, tenant_scope
from tests.appointments.diary import Diary, another
from tests.happenings import deliver_to_subscriber


def test_confirm_confirms_and_thanks(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.tap(one)
    assert diary.again(one).state == "confirmed"
    assert [words[:38] for words in diary.sent_texts] == ["Thank you, your appointment is confirm"]


def test_tapped_twice_is_once(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.tap(one)
    diary.tap(one)
    assert len(diary.sent_texts) == 1


def test_cancel_cancels_once_without_a_second_message(diary: Diary) -> None:
    diary.choose(cancelled="reminder")
    one = diary.book()
    diary.remind(one)
    diary.tap(one, 2)
    diary.tap(one, 2)
    assert diary.again(one).state == "cancelled" and len(diary.sent_texts) == 1
    assert diary.notices(one, purpose="cancelled") == []


def test_confirm_after_a_cancellation_is_answered_and_changes_nothing(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.do(one, "cancel")
    diary.tap(one)
    assert diary.again(one).state == "cancelled" and diary.sent_texts[0].startswith("This appointment was cancelled")


def test_confirm_after_a_move_is_answered_with_the_new_time(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.move(one)
    diary.tap(one)
    moved = diary.again(one)
    assert moved.state == "booked" and phrases.time_words(moved.local, "en") in diary.sent_texts[0]


def test_a_forwarded_button_is_refused(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    another(diary)
    diary.tap(one, wa_id="16505559999")
    assert diary.again(one).state == "booked" and diary.sent_texts[0].startswith("This button belongs to")


def test_a_payload_that_somebody_made_up_is_none_of_ours(diary: Diary) -> None:
    one = diary.book()
    with tenant_scope(diary.id):
        forged = AnswerToken(one.id, 1, "cancel").sign()[:-1] + "x"
    diary.write(type="button", button={"payload": forged, "text": "Cancel"})
    assert diary.again(one).state == "booked" and diary.sent_texts == []


@pytest.mark.parametrize("payload", ["a1", "a1.", "a1..", "a1.x.y.z.w", "", "a1." + "é" * 40])
def test_broken_payloads_are_nothing(diary: Diary, payload: str) -> None:
    with tenant_scope(diary.id):
        assert AnswerToken.read(payload) is None


@pytest.mark.parametrize("words", ["Confirm", "je confirme !", "نعم أؤكد", "Sí, confirmo", "sim confirmo", "Ich komme"])
def test_typed_words_confirm_in_six_languages(diary: Diary, words: str) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.write(words)
    assert diary.again(one).state == "confirmed" and len(diary.sent_texts) == 1


def test_the_answer_is_in_the_language_that_was_typed(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.write("نعم أؤكد")
    assert diary.sent_texts[0].startswith("شكرًا لك")


@pytest.mark.parametrize(
    ("words", "answered", "thanks"),
    [
        ("Bonjour, je voudrais visiter la maison demain matin.", "", "Merci, votre rendez-vous"),
        ("Bonjour, je voudrais visiter la maison demain matin.", "Confirm", "Thank you, your"),
        ("Olá, você pode me dizer se a casa ainda está à venda?", "Confirmo", "Obrigado"),
        ("", "", "Thank you, your"),
    ],
)
def test_the_thanks_are_in_the_language_of_the_conversation(
    diary: Diary, words: str, answered: str, thanks: str
) -> None:
    diary.choose()
    one = diary.book()
    if words:
        diary.write(words)
    diary.remind(one)
    diary.write(answered) if answered else diary.tap(one)
    assert diary.sent_texts[-1].startswith(thanks)


@pytest.mark.parametrize(
    "words",
    ["Can I confirm tomorrow?", "please don't cancel", "I confirm that I got the keys", "annuler la commande de pain"],
)
def test_a_sentence_that_contains_a_word_is_a_persons_to_read(diary: Diary, words: str) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.write(words)
    assert diary.again(one).state == "booked" and diary.sent_texts == []


def test_typed_words_count_only_after_a_reminder(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    with tenant_scope(diary.id):
        talk = diary.conversation
        talk = db.session.merge(talk)
        talk.reply("Shall I bring the plan?", by=diary.ann, client_id=one.id)
    diary.write("Confirm")
    assert diary.again(one).state == "booked" and diary.sent_texts == []


def test_no_two_answers_share_their_words() -> None:
    assert answer_in("x" * 10_000) is None
    results = [answer_in(words) for words in ("CONFIRMÉ", "reporter", "Absagen!")]
    assert [one and one[0] for one in results] == ["confirm", "reschedule", "cancel"]


def test_every_answer_has_its_words_in_every_language() -> None:
    assert all(set(words) == set(phrases.LANGUAGES) for words in (*phrases.OUTCOMES.values(), phrases.CHOOSE))
    assert all(len(words) <= 30 for words in phrases.CHOOSE.values())


def test_another_time_without_a_form_goes_to_the_team(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.tap(one, 1)
    talk = diary.conversation
    assert diary.again(one).state == "reschedule_requested" and diary.sent_texts[0].startswith(
        "No problem. A colleague"
    )
    assert talk.assignee_id == diary.world.ben.id and talk.waiting_since


def test_delivered_again_it_is_answered_once(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.tap(one)
    with tenant_scope(diary.id):
        db.session.execute(db.text("delete from happening_cursors"))
    deliver_to_subscriber("appointments", diary.id)
    with tenant_scope(diary.id):
        kinds = [change.kind for change in db.session.merge(diary.again(one)).history]
    assert len(diary.sent_texts) == 1 and kinds.count("confirmed") == 1


def test_nothing_else_answers_a_tap(diary: Diary) -> None:
    diary.choose()
    with tenant_scope(diary.id):
        db.session.add(ServicePolicy(week=["", "", "", "", "", "", ""], away_text="We are closed.", holidays=[]))
        policy = ServicePolicy.current()
        policy.week = ["00:00–00:01", "", "", "", "", "", ""]
    one = diary.book()
    diary.remind(one)
    diary.tap(one)
    deliver_to_subscriber("away", diary.id)
    with tenant_scope(diary.id):
        sources = set(db.session.scalars(db.select(Message.source).where(Message.direction == "outbound")))
    assert sources == {"notification", "appointment"}
