import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from simulator import Settings, World
from tests.played import play
from tests.simulator.stand_ins import ORIGIN, Graph, Product


@pytest.fixture
def product() -> Iterator[Product]:
    product = Product()
    server = make_server("127.0.0.1", 0, product.app(), threaded=True)
    product.url = f"http://127.0.0.1:{server.port}/webhooks"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield product
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(tmp_path: Path, product: Product) -> Settings:
    return Settings(data=tmp_path, callback_url=product.url, allowed_origins=[ORIGIN], speed=100, token_days=60)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = play(settings, testing=True)
    yield app
    app.extensions["simulator"].stop()


@pytest.fixture
def world(app: Flask) -> World:
    world: World = app.extensions["simulator"]
    world.knobs["status_before_answer"] = 0
    return world


@pytest.fixture
def client(app: Flask, world: World) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def graph(client: FlaskClient, settings: Settings) -> Graph:
    return Graph(client, settings.system_user_token)


@pytest.fixture
def shop(client: FlaskClient) -> dict[str, str]:
    """A number that is ready to write with."""
    answer = client.post("/control/api/seed", json={"name": "Lucky Shrub", "display_phone_number": "+1 555 078 3881"})
    seeded: dict[str, str] = answer.get_json()
    return seeded


@pytest.fixture
def signed_up(client: FlaskClient) -> dict[str, str]:
    """A client who has just finished the popup, with the code it handed over."""
    answer = client.post("/control/api/signups", json={"name": "Wind & Wool", "display_phone_number": "15550001111"})
    handed_over: dict[str, str] = answer.get_json()
    return handed_over


@pytest.fixture
def business_token(client: FlaskClient, settings: Settings, signed_up: dict[str, str]) -> str:
    query = {
        "client_id": settings.app_id,
        "client_secret": settings.app_secret[0],
        "code": signed_up["code"],
    }
    token: str = client.get("/v25.0/oauth/access_token", query_string=query).get_json()["access_token"]
    return token


@pytest.fixture
def write(client: FlaskClient) -> Callable[..., dict[str, str]]:
    """A customer writes."""

    def write(number: dict[str, str], text: str = "Hi", sender: str = "16505551234", **more: Any) -> dict[str, str]:
        body = {
            "phone_number_id": number["phone_number_id"],
            "from": sender,
            "name": "Sheena",
            "text": text,
        } | more
        written: dict[str, str] = client.post("/control/api/inbound", json=body).get_json()
        return written

    return write


@pytest.fixture
def settle(world: World) -> Callable[[], None]:
    """Let everything that was planned for the next moments happen now."""

    def settle() -> None:
        for _ in range(6):
            world.advance(1)
            world.settle()

    return settle


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    def until(happened: Callable[[], bool], patience: float = 5.0) -> None:
        deadline = time.monotonic() + patience
        while not happened():
            assert time.monotonic() < deadline, "It did not happen"
            time.sleep(0.01)

    return until
