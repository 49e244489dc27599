"""Migration 0060 back and forth: customers who came by an ad before are touches afterwards."""

from __future__ import annotations

from flask_migrate import downgrade, upgrade

from app.inbox.conversations import Conversation
from app.tenancy import db

from .conftest import Site
from .test_touches import AD


def test_ads_of_before_become_touches(villas: Site) -> None:
    villas.write("Hello", wa_id="33612345678")
    for words in ("Is it free?", "And the flat?"):
        villas.write("", type="text", text={"body": words}, referral=AD)
    db.engine.dispose()
    downgrade(revision="0057")
    upgrade()
    first, second = villas.touches
    assert first.referral == AD and {first.is_first, second.is_first} == {True, False}
    subjects = [talk.about for talk in villas.rows(Conversation)]
    assert [one.title if one else None for one in subjects] == [None, "Villas by the sea"]
