"""A version on its way to Meta: killed between any two steps, with answers lost and webhooks before them."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
from typing import Any

import pytest

from app.extensions import outside
from app.message_templates import submission
from app.message_templates.jobs import fetch_templates, measure, recover_submissions, submit
from app.message_templates.models import MessageTemplate, TooManyEdits
from app.message_templates.samples import TemplateSample
from app.message_templates.versions import Content, TemplateVersion
from app.meta.outgoing.kinds import Refused
from app.storage import StorageUnavailable
from app.tenancy import Actor, db, now, tenant_scope
from app.tenancy.models import Membership
from app.wabas.models import Waba
from tests.enqueued import Enqueued
from tests.message_templates.templates import BODY, CONTENT
from tests.simulated import Road
from tests.world import World

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def life(road: Road) -> Life:
    road.meta.post("knobs", review_by_itself=0)
    return Life(road)


class Life:
    """One template of Bakery's, here and at Meta."""

    def __init__(self, road: Road) -> None:
        self.road, self.world = road, road.world
        self.tenant = road.world.bakery.id

    def begin(self, name: str = "order_update", content: Content = CONTENT) -> MessageTemplate:
        with tenant_scope(self.tenant):
            by = Actor.agent(self.world.ann)
            return MessageTemplate.begin(self.road.number.waba_id, name, "en_US", content, by=by)

    def ask(self, template: MessageTemplate) -> TemplateVersion:
        """Somebody submits it."""
        with tenant_scope(self.tenant):
            member = db.session.query(Membership).filter_by(user_id=self.world.ann.id).one()
            return MessageTemplate.get_or_404(template.id).submit(by=Actor.agent(self.world.ann), membership=member)

    def run(self, version: TemplateVersion) -> TemplateVersion:
        """The job, as the worker would."""
        submit(str(self.tenant), str(version.id))
        return self.version(version)

    def run_again(self, version: TemplateVersion) -> TemplateVersion:
        """The job once more, when the lease of the one before has ended."""
        with tenant_scope(self.tenant):
            TemplateVersion.get_or_404(version.id).lease_until = now() - dt.timedelta(seconds=1)
        return self.run(version)

    def version(self, version: TemplateVersion) -> TemplateVersion:
        with tenant_scope(self.tenant):
            return TemplateVersion.get_or_404(version.id)

    def template(self, template: MessageTemplate) -> MessageTemplate:
        with tenant_scope(self.tenant):
            return MessageTemplate.get_or_404(template.id)

    def at_meta(self, name: str = "order_update") -> list[dict[str, Any]]:
        """Without the template that Meta puts into every account."""
        listed = self.road.meta.get("templates")["templates"]
        return [one | {"components": json.loads(one["components"])} for one in listed if one["name"] == name]

    def fail(self, kind: str, edge: str = "POST message_templates", **more: Any) -> None:
        self.road.meta.post("faults", edge=edge, kind=kind, **more)


def test_what_is_submitted_is_in_review(life: Life) -> None:
    template = life.begin()
    version = life.run(life.ask(template))
    assert (version.state, version.number) == ("submitted", 1)
    (there,) = life.at_meta()
    stored = life.template(template)
    assert (stored.meta_id, stored.status, stored.components) == (str(there["id"]), "PENDING", [BODY])


@pytest.mark.parametrize("kind", ["drop-after-accept", "accept-then-500", "accept-then-502"])
def test_a_lost_answer_makes_no_second_template(life: Life, kind: str) -> None:
    template = life.begin()
    life.fail(kind)
    version = life.run(life.ask(template))
    assert version.state == "submitting" and version.error
    assert life.run_again(version).state == "submitted"
    assert len(life.at_meta()) == 1 and life.template(template).meta_id == str(life.at_meta()[0]["id"])


@pytest.mark.parametrize("kind", ["http500", "refuse"])
def test_meta_away_is_tried_again(life: Life, kind: str) -> None:
    template = life.begin()
    life.fail(kind)
    version = life.run(life.ask(template))
    assert version.state == "submitting" and life.at_meta() == []
    assert life.run_again(version).state == "submitted"
    assert len(life.at_meta()) == 1


STEPS = ("before anything", "after the upload", "after the answer")


@pytest.mark.parametrize("step", STEPS)
def test_a_job_killed_anywhere_leaves_one_template(life: Life, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    template = life.begin(content=with_picture(life))
    version = life.ask(template)
    broken = {"before anything": "upload_samples", "after the upload": "send", "after the answer": "settle"}[step]
    with monkeypatch.context() as patched:
        patched.setattr(submission.Submission, broken, killed)
        with pytest.raises(Killed):
            life.run(version)
    assert life.version(version).state == "submitting"
    assert life.run_again(version).state == "submitted"
    assert len(life.at_meta()) == 1


def killed(*_: object) -> None:
    raise Killed


def test_a_job_that_is_still_at_it_is_not_overtaken(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    version = life.ask(life.begin())
    monkeypatch.setattr(submission.Submission, "send", killed)
    with pytest.raises(Killed):
        life.run(version)
    assert life.run(version).attempts == 1


def test_the_clock_finds_those_whose_job_died(life: Life, enqueued: Enqueued) -> None:
    version = life.ask(life.begin())
    enqueued.clear()
    recover_submissions()
    assert "message_templates.submit" not in enqueued.names
    with tenant_scope(life.tenant):
        TemplateVersion.get_or_404(version.id).lease_until = now() - dt.timedelta(seconds=1)
    recover_submissions()
    assert "message_templates.submit" in enqueued.names


def test_the_webhook_may_come_before_the_answer(life: Life) -> None:
    life.road.meta.post("knobs", review_by_itself=1, review_after=0, review_before_answer=1)
    template = life.begin()
    version = life.ask(template)
    submission_of = submission.Submission.settle

    def settle(self: submission.Submission, *arguments: Any) -> None:
        life.road.until(lambda: life.template(template).status == "APPROVED")
        submission_of(self, *arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(submission.Submission, "settle", settle)
        version = life.run(version)
    assert life.template(template).status == "APPROVED" and version.state == "approved"


def test_the_webhook_may_come_while_the_answer_is_lost(life: Life) -> None:
    life.road.meta.post("knobs", review_by_itself=1, review_after=0)
    life.fail("drop-after-accept")
    template = life.begin()
    version = life.run(life.ask(template))
    life.road.until(lambda: life.template(template).status == "APPROVED")
    assert life.run_again(version).state == "approved"
    assert len(life.at_meta()) == 1 and life.template(template).status == "APPROVED"


def test_a_refusal_comes_back_as_a_draft_with_its_reason(life: Life) -> None:
    life.fail("error", code=100, details="Invalid parameter")
    version = life.run(life.ask(life.begin()))
    assert version.state == "draft" and version.error and version.error["title"]
    assert "template" in version.error["title"] and "message" not in version.error["fix"]


@pytest.mark.parametrize("code", [10, 200])
def test_an_account_that_we_may_not_write_to_leaves_a_draft_that_says_so(life: Life, code: int) -> None:
    life.fail("error", code=code, details="Permission denied")
    version = life.run(life.ask(life.begin()))
    assert version.state in ("draft", "submitting") and version.error and "ermission" in str(version.error)
    assert life.at_meta() == []


def test_a_name_that_another_has_is_not_taken_for_ours(life: Life) -> None:
    other = [{"type": "BODY", "text": "Something else entirely, made elsewhere."}]
    waba = life.road.ids["waba_id"]
    life.road.meta.post("templates", waba_id=waba, name="order_update", language="en_US", components=other)
    template = life.begin()
    version = life.run(life.ask(template))
    assert version.state == "draft" and version.error
    assert life.template(template).meta_id is None


def test_the_category_that_meta_answers_is_recorded(life: Life) -> None:
    life.road.meta.post("knobs", review_by_itself=1, review_after=0)
    template = life.begin("sale_marketing")
    life.run(life.ask(template))
    life.road.until(lambda: life.template(template).category == "MARKETING")
    assert life.template(template).previous_category == "UTILITY"


# Edits.


def edit(life: Life, template: MessageTemplate, words: str) -> TemplateVersion:
    with tenant_scope(life.tenant):
        row, by = MessageTemplate.get_or_404(template.id), Actor.agent(life.world.ann)
        version = row.version_to_edit(by)
        changed = [{**BODY, "text": str(BODY["text"]) + words}]
        version.save(Content("UTILITY", True, changed), revision=version.revision, by=by)
    return life.ask(template)


def published(life: Life) -> MessageTemplate:
    template = life.begin()
    life.run(life.ask(template))
    (there,) = life.at_meta()
    life.road.meta.post(f"templates/{there['id']}", status="APPROVED")
    life.road.until(lambda: life.template(template).status == "APPROVED")
    return template


def test_an_edit_replaces_the_text_and_counts(life: Life) -> None:
    template = published(life)
    version = life.run(edit(life, template, " Thank you."))
    assert version.is_edit and version.state == "submitted" and version.number == 2
    assert life.at_meta()[0]["components"][0]["text"].endswith("Thank you.")
    with tenant_scope(life.tenant):
        assert MessageTemplate.get_or_404(template.id).edit_limit.left == 9


def test_a_text_that_was_made_elsewhere_is_the_first_version(life: Life) -> None:
    words = [{"type": "BODY", "text": "Your order is ready. You can pick it up in the shop until six."}]
    waba = life.road.ids["waba_id"]
    life.road.meta.post("templates", waba_id=waba, name="order_update", language="en_US", components=words)
    fetch_templates(str(life.tenant), str(life.road.number.waba_id))
    with tenant_scope(life.tenant):
        template = db.session.query(MessageTemplate).filter_by(name="order_update").one()
    life.run(edit(life, template, " Thank you."))
    with tenant_scope(life.tenant):
        listed = db.session.scalars(TemplateVersion.of(template.id)).all()
    assert [(one.number, one.state) for one in listed] == [(2, "submitted"), (1, "approved")]
    assert listed[1].components == words


def test_a_second_edit_on_the_same_day_is_refused_before_meta_does(life: Life) -> None:
    template = published(life)
    life.run(edit(life, template, " Thank you."))
    life.road.meta.post(f"templates/{life.at_meta()[0]['id']}", status="APPROVED")
    life.road.until(lambda: life.template(template).status == "APPROVED")
    with pytest.raises(TooManyEdits) as limit:
        edit(life, template, " Goodbye.")
    assert now() + dt.timedelta(hours=23) < limit.value.next_at < now() + dt.timedelta(hours=25)


def test_a_lost_answer_to_an_edit_is_settled(life: Life) -> None:
    template = published(life)
    version = edit(life, template, " Thank you.")
    life.fail("drop-after-accept", edge=f"POST {life.at_meta()[0]['id']}")
    life.fail("drop-after-accept", edge="POST template")
    version = life.run(version)
    for _ in range(2):
        version = life.run_again(version) if version.state == "submitting" else version
    assert version.state == "submitted" and life.at_meta()[0]["components"][0]["text"].endswith("Thank you.")


def test_a_template_deleted_at_meta_while_it_is_edited_says_so(life: Life) -> None:
    template = published(life)
    life.road.meta.post(f"templates/{life.at_meta()[0]['id']}", act="delete")
    life.road.until(lambda: life.template(template).status in ("DELETED", "PENDING_DELETION"))
    with pytest.raises(Refused):
        edit(life, template, " Thank you.")


# Samples.


def with_picture(life: Life) -> Content:
    with tenant_scope(life.tenant):
        sample = TemplateSample.store("IMAGE", io.BytesIO(PNG), "shop.png")
        db.session.flush()
        header = {"type": "HEADER", "format": "IMAGE", "example": {"sample": str(sample.id)}}
    return Content("UTILITY", True, [header, BODY])


def test_a_sample_is_uploaded_on_the_way(life: Life) -> None:
    version = life.run(life.ask(life.begin(content=with_picture(life))))
    assert version.state == "submitted"
    (there,) = life.at_meta()
    assert there["components"][0]["format"] == "IMAGE"


def test_an_expired_handle_is_renewed(life: Life) -> None:
    content = with_picture(life)
    with tenant_scope(life.tenant):
        sample = db.session.query(TemplateSample).one()
        sample.handle, sample.handle_at = "4::expired", now()
    version = life.run(life.ask(life.begin(content=content)))
    assert version.state == "submitting"
    assert life.run(version).state == "submitted"
    with tenant_scope(life.tenant):
        assert db.session.query(TemplateSample).one().handle != "4::expired"


def test_nothing_of_another_business_is_submitted(life: Life, world: World) -> None:
    version = life.ask(life.begin())
    with pytest.raises(Exception, match="404"):
        submit(str(world.shoes.id), str(version.id))
    assert life.at_meta() == []


@pytest.mark.parametrize("job", [fetch_templates, measure])
def test_no_account_of_another_business_is_listed_or_measured(life: Life, world: World, job: Any) -> None:
    with pytest.raises(Exception, match="404"):
        job(str(world.shoes.id), str(life.road.number.waba_id))


# What is missing here, and damaged.


def test_a_file_that_our_store_has_lost_ends_the_submission(life: Life) -> None:
    version = life.ask(life.begin(content=with_picture(life)))
    with tenant_scope(life.tenant):
        key = db.session.query(TemplateSample).one().storage_key
    outside().storage.delete(key)
    version = life.run(version)
    assert version.state == "draft" and version.error and life.at_meta() == []


def test_while_our_store_is_away_the_submission_is_tried_again(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    version = life.ask(life.begin(content=with_picture(life)))

    def unavailable(*_: object) -> None:
        raise StorageUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(TemplateSample, "stream", unavailable)
        version = life.run(version)
    assert version.state == "submitting" and version.error
    assert life.run_again(version).state == "submitted"


def test_a_header_that_names_a_file_that_is_none_is_submitted_without_it(life: Life) -> None:
    header = {"type": "HEADER", "format": "TEXT", "text": "Hello", "example": {"sample": str(uuid.uuid4())}}
    version = life.run(life.ask(life.begin(content=Content("UTILITY", True, [header, BODY]))))
    assert version.state == "submitted"
    assert "example" not in life.at_meta()[0]["components"][0]


@pytest.mark.parametrize("ciphertext", [None, b"damaged" * 8])
def test_without_a_token_the_submission_says_so_and_waits(life: Life, ciphertext: bytes | None) -> None:
    version = life.ask(life.begin())
    with tenant_scope(life.tenant):
        waba = Waba.get_or_404(life.road.number.waba_id)
        token, waba.token_ciphertext = waba.token, ciphertext
    version = life.run(version)
    assert version.attempts == 1 and version.error and "ccess" in version.error["title"]
    with tenant_scope(life.tenant):
        Waba.get_or_404(life.road.number.waba_id).token = token
    assert life.run_again(version).state == "submitted"
