"""The assistant's pages: set up in order, try, knowledge, decisions, and what agents find beside the composer."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from app.assistant.access import ModelAccess
from app.assistant.assistant import Assistant
from app.assistant.golden import GoldenRun
from app.assistant.jobs import run_golden
from app.assistant.knowledge import KnowledgePassage, KnowledgeSource
from app.assistant.reading.sources import read_source
from app.assistant.turns import AssistantTurn
from app.inbox.compose.drafts import Draft
from app.tenancy import db, tenant_scope
from tests.client import Browser
from tests.world import World

from .conftest import Model, Shop

SETUP: dict[str, Any] = {
    "name": "Rosie",
    "purpose": "Questions about bread",
    "tone": "friendly",
    "percentage": "100",
    "hours": "always",
    "hand_over_team": "",
    "debounce_seconds": "4",
    "most_turns": "20",
    "most_per_hour": "12",
    "money_per_day": "2",
    "most_tokens": "1000",
}
DISCLOSED = {f"disclosure-{code}": f"I am a machine ({code})." for code in ("en", "es", "pt", "fr", "de", "ar")}


def test_agents_do_not_manage_it(ben: Browser) -> None:
    assert ben.get("~/assistant/").status_code == 403


def test_it_is_set_up_from_key_to_suggestions(ann: Browser, world: World, model: Model) -> None:
    page = ann.get("~/assistant/").text
    assert "Connect a model first." in page
    key = {"provider": "openai", "base_url": f"{model.url}/v1", "model": "scripted", "input_price": "1"}
    assert ann.post("~/assistant/key", key | {"key": "sk-very-secret", "output_price": "2"}).status_code == 303
    assert "The model answers." in ann.get("~/assistant/key").text
    ann.post("~/assistant/knowledge/new/question", {"title": "Rye bread?", "body": "Every day.", "language": ""})
    ann.post("~/assistant/setup", SETUP | DISCLOSED | {"publish": "1"})
    assert ann.post("~/assistant/mode", {"mode": "suggests"}).status_code == 303
    with tenant_scope(world.bakery.id):
        assistant = Assistant.current()
        assert assistant and assistant.mode == "suggests" and assistant.version
        assert assistant.version.setup.purpose == "Questions about bread"


def test_the_key_is_shown_nowhere(ann: Browser, shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.ask("Do you have rye bread?")
    ann.post("~/assistant/key", {"provider": "openai", "base_url": f"{shop.model.url}/v1", "model": "scripted"})
    pages = [ann.get(f"~/assistant/{path}").text for path in ("", "key", "setup", "decisions")]
    assert all("sk-secret" not in page for page in pages) and "sk-secret" not in caplog.text
    assert shop.model.requested[0]["headers"]["Authorization"] == "Bearer sk-secret"


def test_a_new_address_needs_the_key_again(ann: Browser, world: World, shop: Shop) -> None:
    moved = {"provider": "openai", "base_url": "https://other.example/v1", "model": "scripted"}
    response = ann.post("~/assistant/key", moved | {"input_price": "0", "output_price": "0"})
    assert response.status_code == 422 and "Enter the key." in response.text
    with tenant_scope(world.bakery.id):
        access = ModelAccess.current()
        assert access and access.base_url == f"{shop.model.url}/v1"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/v1",
        "https://10.0.0.1/v1",
        "https://localhost/v1",
        "http://metadata/v1",
        "file:///etc/passwd",
    ],
)
def test_a_model_inside_the_network_is_refused_unless_the_operator_allows_it(
    ann: Browser, model: Model, address: str
) -> None:
    key = {"provider": "openai", "base_url": address, "model": "x", "key": "k", "input_price": "0", "output_price": "0"}
    response = ann.post("~/assistant/key", key)
    assert response.status_code == 422 and "Enter a public address" in response.text


def test_alone_needs_a_disclosure_and_judged_suggestions(ann: Browser, shop: Shop) -> None:
    shop.set_up(disclosure={"en": "I am a machine."})
    shop.switch("suggests")
    page = ann.get("~/assistant/").text
    assert "Add the disclosure in every language" in page and "Let your team judge 10 suggestions first." in page
    ann.post("~/assistant/mode", {"mode": "alone"})
    with tenant_scope(shop.world.bakery.id):
        assert Assistant.get_or_make().mode == "suggests"


def test_ten_judged_suggestions_open_the_way(ann: Browser, shop: Shop) -> None:
    shop.switch("suggests")
    with tenant_scope(shop.world.bakery.id):
        for number in range(10):
            turn = AssistantTurn.begin("live", mode="suggests", version_id=None)
            turn.finish("used")
            turn.judge("right" if number else "wrong", by=shop.ann)
    assert "right in 9 of 10" in ann.get("~/assistant/").text
    ann.post("~/assistant/mode", {"mode": "alone"})
    with tenant_scope(shop.world.bakery.id):
        assert Assistant.get_or_make().mode == "alone"


def test_a_published_version_without_a_disclosure_stops_answering_alone(ann: Browser, shop: Shop) -> None:
    ann.post("~/assistant/setup", SETUP | {"publish": "1"})
    with tenant_scope(shop.world.bakery.id):
        assert Assistant.get_or_make().mode == "suggests"


def test_a_version_stays_and_can_be_gone_back_to(ann: Browser, shop: Shop) -> None:
    ann.post("~/assistant/setup", SETUP | DISCLOSED | {"instructions": "Be brief."})
    page = ann.get("~/assistant/versions").text
    address = re.search(r'action="([^"]+/publishing)"', page)
    assert address and "Version 2" in page
    ann.post(address[1])
    with tenant_scope(shop.world.bakery.id):
        version = Assistant.get_or_make().version
        assert version and version.number == 2 and version.setup.instructions == "Be brief."


def test_a_trial_runs_the_engine_and_sends_nothing(ann: Browser, shop: Shop) -> None:
    page = ann.post("~/assistant/trial", {"words": "Do you have rye bread?", "talk": ""}).text
    assert "4.20 €" in page and "Do you have rye bread?" in page and shop.sent() == []
    assert shop.turns()[-1].kind == "trial" and shop.turns()[-1].conversation_id is None


def test_a_trial_can_be_started_again_and_its_tab_stays_marked(ann: Browser, shop: Shop) -> None:
    assert "Start again" not in ann.get("~/assistant/trial").text
    page = re.sub(r"\s+", " ", ann.post("~/assistant/trial", {"words": "Do you have rye bread?", "talk": ""}).text)
    assert "Start again" in page and re.search(r'href="[^"]*/assistant/trial" aria-current="page"', page)
    assert 'dir="auto"><span class="sr-only">Customer:</span>' in page


@pytest.mark.parametrize("talk", ["[", '{"a": 1}', '[{"from": "system", "text": 5}]', "[" * 5000])
def test_a_trial_takes_whatever_a_page_sends_back(ann: Browser, shop: Shop, talk: str) -> None:
    assert ann.post("~/assistant/trial", {"words": "When are you open?", "talk": talk}).status_code == 200


def test_a_suggestion_is_shown_with_its_sources_and_used(ben: Browser, shop: Shop) -> None:
    shop.switch("suggests")
    turn = shop.ask("Do you have rye bread?")
    page = ben.get(f"~/inbox/{shop.carla.id}").text
    assert "Suggested reply" in page and "4.20 €" in page and "Do you have rye bread?" in page
    ben.post(f"~/assistant/suggestions/{turn.id}/use")
    ben.post(f"~/assistant/suggestions/{turn.id}/use")
    assert [message.author_kind for message in shop.sent()] == ["agent"]
    assert shop.turns()[0].verdict == "right" and shop.turns()[0].state == "used"


def test_the_list_stays_beside_a_conversation_in_which_a_suggestion_is_used(ben: Browser, shop: Shop) -> None:
    shop.switch("suggests")
    turn = shop.ask("Do you have rye bread?")
    page = f"http://localhost/t/bakery/inbox/{shop.carla.id}?view=all&tag=&next=x"
    answer = ben.post(f"~/assistant/suggestions/{turn.id}/use", headers={"Referer": page})
    assert "view=all" in answer.location and "next=" not in answer.location


def test_an_edited_suggestion_waits_as_a_draft(ben: Browser, shop: Shop) -> None:
    shop.switch("suggests")
    turn = shop.ask("Do you have rye bread?")
    ben.post(f"~/assistant/suggestions/{turn.id}/edit")
    with tenant_scope(shop.world.bakery.id):
        draft = Draft.find_for(shop.talk(), "reply", shop.world.ben)
        assert draft and "4.20 €" in draft.body
    assert shop.sent() == []


def test_a_dismissed_suggestion_was_wrong(ben: Browser, shop: Shop) -> None:
    shop.switch("suggests")
    turn = shop.ask("Do you have rye bread?")
    ben.post(f"~/assistant/suggestions/{turn.id}/dismissal")
    assert shop.turns()[0].verdict == "wrong" and "Suggested reply" not in ben.get(f"~/inbox/{shop.carla.id}").text


def test_an_answer_is_approved_in_the_conversation(ben: Browser, shop: Shop) -> None:
    shop.switch("approval")
    turn = shop.ask("Do you have rye bread?")
    assert "Approve and send" in ben.get(f"~/inbox/{shop.carla.id}").text
    ben.post(f"~/assistant/suggestions/{turn.id}/use")
    assert [message.author_kind for message in shop.sent()] == ["assistant"]


def test_each_message_of_it_says_why(ben: Browser, shop: Shop) -> None:
    shop.ask("Do you have rye bread?")
    address = f"~/assistant/messages/{shop.sent()[0].id}"
    assert f"/assistant/messages/{shop.sent()[0].id}" in ben.get(f"~/inbox/{shop.carla.id}").text
    page = ben.get(address, follow_redirects=True).text
    assert "Do you have rye bread?" in page and "fits by" in page and "scripted" in page


def test_a_verdict_is_saved_with_whose_it_is(ben: Browser, shop: Shop) -> None:
    turn = shop.ask("Do you have rye bread?")
    ben.post(f"~/assistant/decisions/{turn.id}/verdict", {"verdict": "wrong"})
    judged = shop.turns()[0]
    assert judged.verdict == "wrong" and judged.judge_actor and judged.judge_actor.name == "Ben"


def test_an_unanswered_question_is_answered_from_the_list(ann: Browser, shop: Shop) -> None:
    shop.ask("Can you repair my bicycle?")
    page = ann.get("~/assistant/questions").text
    address = re.search(r'href="([^"]+/knowledge/new/question[^"]+)"', page)
    assert "Can you repair my bicycle?" in page and address
    form = ann.get(address[1].replace("&amp;", "&"))
    assert "Can you repair my bicycle?" in form.text
    post = re.search(r'action="([^"]+/knowledge/new/question[^"]*)"', form.text)
    assert post
    ann.post(post[1].replace("&amp;", "&"), {"title": "Repair bicycles?", "body": "No, we bake.", "language": ""})
    assert "No open questions" in ann.get("~/assistant/questions").text


def test_every_kind_of_source_has_a_form(ann: Browser, world: World) -> None:
    for kind in ("question", "text", "page", "file"):
        assert ann.get(f"~/assistant/knowledge/new/{kind}").status_code == 200
        assert ann.post(f"~/assistant/knowledge/new/{kind}", {}).status_code == 422
    assert ann.get("~/assistant/knowledge/new/other").status_code == 404


def test_a_file_is_read_by_a_worker_and_found(ann: Browser, world: World) -> None:
    file = (io.BytesIO(b"# Cakes\n\nWe make wedding cakes."), "cakes.txt")
    ann.post("~/assistant/knowledge/new/file", {"title": "", "language": "", "file": file})
    assert "Waiting to be read" in ann.get("~/assistant/knowledge").text
    with tenant_scope(world.bakery.id):
        read_source(str(db.session.query(KnowledgeSource).one().id))
    assert "Ready" in ann.get("~/assistant/knowledge").text
    with tenant_scope(world.bakery.id):
        passage = db.session.query(KnowledgePassage).one()
        assert passage.heading == "cakes.txt › Cakes" and "wedding cakes" in passage.body


def test_a_source_is_changed_switched_off_and_deleted(ann: Browser, shop: Shop) -> None:
    with tenant_scope(shop.world.bakery.id):
        source = db.session.query(KnowledgeSource).filter_by(title="When are you open?").one()
    address = f"~/assistant/knowledge/{source.id}"
    ann.post(address, {"title": source.title, "body": "Always.", "language": ""})
    assert "Always." in shop.ask("When are you open?").reply
    ann.post(f"{address}/use", {"is_enabled": "0"})
    assert shop.ask("When are you open please?").reason == "nothing_found"
    assert ann.post(f"{address}/removal").status_code == 303 and ann.get(address).status_code == 404


def test_golden_conversations_are_replayed_with_a_score_and_a_difference(ann: Browser, shop: Shop) -> None:
    ann.post("~/assistant/golden", {"title": "Rye", "words": "Rye bread?", "action": "answer", "must": "4.20 €"})
    ann.post("~/assistant/golden", {"title": "Bike", "words": "Repair bicycles?", "action": "answer"})
    run_all(ann, shop)
    page = ann.get("~/assistant/golden").text
    assert "1 of 2" in page
    with tenant_scope(shop.world.bakery.id):
        KnowledgeSource.add("question", "Do you repair bicycles?", body="No, we are a bakery.", by=shop.ann)
    run = run_all(ann, shop)
    page = ann.get(f"~/assistant/golden-runs/{run}").text
    assert "2 of 2 passed" in page and "before: 1 of 2" in page and "better than before" in page


def run_all(ann: Browser, shop: Shop) -> str:
    ann.post("~/assistant/golden-runs")
    with tenant_scope(shop.world.bakery.id):
        run = db.session.scalars(GoldenRun.newest_first().limit(1)).one()
    run_golden(shop.world.bakery.id, str(run.id))
    return str(run.id)


def test_help_with_writing_changes_the_text_and_offers_the_original(ben: Browser, shop: Shop) -> None:
    address = f"~/assistant/help/{shop.carla.id}"
    page = ben.post(address, {"task": "shorten", "text": "We are open. And so on.", "language": "es", "tone": "formal"})
    assert "We are open.</textarea>" in page.text and "And so on." in page.text
    page = ben.post(address, {"task": "translate", "text": "Hello", "language": "es", "tone": "formal"})
    assert "[Español] Hello" in page.text and shop.sent() == []


def test_what_was_written_with_help_waits_in_the_reply(ben: Browser, shop: Shop) -> None:
    address = f"~/assistant/help/{shop.carla.id}"
    assert ben.post(address, {"task": "use", "text": "Come by!", "language": "en", "tone": "formal"}).status_code == 303
    with tenant_scope(shop.world.bakery.id):
        draft = Draft.find_for(shop.talk(), "reply", shop.world.ben)
        assert draft and draft.body == "Come by!"


def test_an_action_shows_its_secret_once(ann: Browser, world: World) -> None:
    action = {
        "name": "free_slots",
        "description": "Free slots",
        "url": "https://shop.example/slots",
        "parameters": "day",
    }
    response = ann.post("~/assistant/actions", action)
    secret = re.search(r"sbas_[\w-]+", response.text)
    assert response.status_code == 201 and secret and secret[0] not in ann.get("~/assistant/actions").text
    inside = ann.post("~/assistant/actions", action | {"name": "x", "url": "https://127.0.0.1/"})
    assert inside.status_code == 422


def test_a_provider_that_there_is_not_is_refused(ann: Browser) -> None:
    form = {"provider": "nobody", "key": "sk-1", "model": "gpt-5"}
    assert ann.post("~/assistant/key", form).status_code == 422


@pytest.mark.parametrize("kind", ["question", "text"])
def test_spaces_are_no_knowledge(world: World, ann: Browser, kind: str) -> None:
    page = ann.post(f"~/assistant/knowledge/new/{kind}", {"title": "  ", "body": " \n "})
    assert page.status_code == 422 and len(sources(world)) == 0


def sources(world: World) -> list[KnowledgeSource]:
    with tenant_scope(world.bakery.id):
        return list(db.session.query(KnowledgeSource))
