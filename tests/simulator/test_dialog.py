import html
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from simulator import Settings, World
from tests.simulator.stand_ins import ORIGIN, Graph, Product


class Popup:
    """Clicks through the dialog the way a person does, without the browser."""

    def __init__(self, client: FlaskClient, settings: Settings, origin: str = ORIGIN, **changed: str) -> None:
        redirect = f"{settings.public_url}/x/connect/xd_arbiter/#cb=f1&origin={origin}&relation=opener"
        query = {"client_id": settings.app_id, "config_id": settings.config_id, "redirect_uri": redirect}
        self.client = client
        self.page = client.get(f"/v25.0/dialog/oauth?{urlencode(query | changed)}", follow_redirects=True)

    def enter(self, **data: str) -> "Popup":
        self.page = self.client.post(self.page.request.path, data=data, follow_redirects=True)
        return self

    def until_the_number(self, persona: str = "new", name: str = "Wind & Wool") -> "Popup":
        return self.enter(persona=persona).enter().enter(portfolio="new", name=name, country="US").enter(name=name)

    def finish(self, number: str = "5550001111") -> "Popup":
        self.until_the_number().enter(display_name="Wind & Wool", code="1", number=number)
        return self.enter(code=self.sms_code).enter()

    @property
    def sms_code(self) -> str:
        return self.shown(r'verification-code">([\d-]+)<')

    @property
    def says(self) -> Any:
        return json.loads(html.unescape(self.shown(r'data-hand-over="([^"]*)"')))

    def shown(self, pattern: str) -> str:
        match = re.search(pattern, self.page.text)
        assert match, pattern
        return match[1]


@pytest.fixture
def popup(client: FlaskClient, settings: Settings) -> Any:
    return lambda **changed: Popup(client, settings, **changed)


def test_a_new_business_ends_with_ids_and_a_code(popup: Any, graph: Graph, settings: Settings) -> None:
    incoming = popup().finish().says
    assert incoming["origin"] == ORIGIN
    assert incoming["session"]["event"] == "FINISH"
    assert set(incoming["session"]["data"]) == {"phone_number_id", "waba_id", "business_id"}
    secrets = {"client_id": settings.app_id, "client_secret": settings.app_secret[0], "code": incoming["code"]}
    assert "access_token" in graph("GET", "oauth/access_token", query_string=secrets).json


def test_the_partner_hears_before_finish_is_pressed(popup: Any, product: Product, settle: Callable[[], None]) -> None:
    incoming = popup().finish().says
    settle()
    assert product.values("account_update")[0]["waba_info"]["waba_id"] == incoming["session"]["data"]["waba_id"]


def test_the_thirty_seconds_start_when_the_code_is_handed_over(
    popup: Any, client: FlaskClient, world: World, graph: Graph, settings: Settings
) -> None:
    window = popup().finish()
    world.advance(300)
    client.post(f"{window.page.request.path}/hand-over")
    world.advance(31)
    secrets = {
        "client_id": settings.app_id,
        "client_secret": settings.app_secret[0],
        "code": window.says["code"],
    }
    answer = graph("GET", "oauth/access_token", query_string=secrets)
    assert answer.json["error"]["error_subcode"] == 36007


def test_a_page_that_is_not_allowed_hears_nothing(popup: Any) -> None:
    window = popup(origin="https://evil.example").finish()
    assert window.says == {}
    assert "not among the app" in window.page.text


def test_an_unknown_configuration_is_refused(popup: Any) -> None:
    assert popup(config_id="1").page.status_code == 400
    assert popup(client_id="1").page.status_code == 400


def test_a_cancelled_popup_names_its_screen(popup: Any) -> None:
    assert popup().until_the_number().says["step"] == "PHONE_NUMBER_SETUP"


def test_an_existing_number_needs_no_new_code(popup: Any) -> None:
    window = popup().enter(persona="existing").enter()
    portfolio = window.shown(r'name="portfolio" value="(\d+)"')
    window.enter(portfolio=portfolio)
    choice = window.shown(r'value="(number:\d+)"')
    assert window.enter(choice=choice).enter().says["session"]["event"] == "FINISH"


def test_finishing_without_a_number_says_so(popup: Any) -> None:
    session = popup().until_the_number().enter(without="1").enter().says["session"]
    assert session["event"] == "FINISH_ONLY_WABA"
    assert "phone_number_id" not in session["data"]


def test_a_number_with_its_own_calling_code_is_unchanged(popup: Any) -> None:
    window = popup().until_the_number().enter(display_name="Mill", code="1", number="+49 30 901820")
    assert "+49 309 018 20" in window.page.text


def test_a_number_in_use_is_refused(popup: Any) -> None:
    window = popup().until_the_number("taken").enter(display_name="Mine", code="1", number="5550199001")
    assert window.page.status_code == 422
    assert "already registered on WhatsApp" in window.page.text


def test_a_wrong_code_is_refused(popup: Any) -> None:
    window = popup().until_the_number().enter(display_name="Mine", code="1", number="5550001111")
    assert "not the code we sent" in window.enter(code="000-00").page.text


@pytest.mark.parametrize("path", ["/sdk.js", "/en_US/sdk.js"])
def test_the_sdk_knows_where_the_dialog_is(client: FlaskClient, settings: Settings, path: str) -> None:
    script = client.get(path)
    assert f'const ORIGIN = "{settings.public_url}"' in script.text
    assert script.mimetype == "text/javascript"


class Hosted(Popup):
    """The page that Meta hosts: no opener, no redirect."""

    def __init__(self, client: FlaskClient, settings: Settings, **changed: str) -> None:
        query = {"app_id": settings.app_id, "config_id": settings.config_id} | changed
        self.client = client
        self.page = client.get(f"/messaging/whatsapp/onboard/?{urlencode(query)}", follow_redirects=True)


def test_metas_own_page_tells_only_the_partner(
    client: FlaskClient, settings: Settings, product: Product, settle: Callable[[], None]
) -> None:
    window = Hosted(client, settings).finish()
    assert window.says == {}
    assert 'data-testid="dialog-finish"' not in window.page.text
    settle()
    (facts,) = product.values("account_update")
    assert facts["event"] == "PARTNER_ADDED"
    assert set(facts["waba_info"]) == {"waba_id", "owner_business_id"}


def test_metas_own_page_writes_out_no_code(client: FlaskClient, settings: Settings, world: World) -> None:
    Hosted(client, settings).finish()
    assert world.store.rows("select * from codes") == []


def test_metas_own_page_of_another_app_is_refused(client: FlaskClient, settings: Settings) -> None:
    assert Hosted(client, settings, app_id="1").page.status_code == 400
