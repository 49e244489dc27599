"""Flask extensions and outside services, created once in `create_app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import redis as redis_client
from flask import Flask, current_app
from flask_babel import Babel, Domain
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from redis.backoff import NoBackoff
from redis.retry import Retry
from werkzeug.local import LocalProxy

from app import storage as stores
from app.config import Settings
from app.crypto import Vault
from app.egress import Egress
from app.mail import Mailer
from app.meta.graph import GraphClient
from app.sockets import redis_options
from app.words import InContext


class Words(Domain):
    """flask-babel's texts, where `gettext` minds the context of words that have one (`pN_`)."""

    def gettext(self, string: str, **variables: Any) -> str:
        if isinstance(string, InContext):
            return str(self.pgettext(string.context, str(string), **variables))
        return str(super().gettext(string, **variables))


class Languages(Babel):
    @property
    def domain_instance(self) -> Words:
        return Words(domain=self.domain)


babel = Languages()
csrf = CSRFProtect()
login_manager = LoginManager()
migrate = Migrate()


@dataclass
class Outside:
    settings: Settings
    vault: Vault
    redis: redis_client.Redis
    graph: GraphClient
    storage: stores.Storage
    egress: Egress
    mailer: Mailer

    @classmethod
    def connect(cls, settings: Settings) -> Outside:
        return cls(
            settings=settings,
            vault=Vault(settings.encryption_keys),
            redis=connect_redis(settings.redis_url),
            graph=GraphClient(
                settings.meta_graph_url,
                settings.meta_graph_version,
                settings.meta_app_id,
                settings.meta_app_secrets[0],
            ),
            storage=stores.connect(settings.media_url),
            egress=Egress(inside=(*settings.model_urls, settings.hubspot_url, settings.pipedrive_url)),
            mailer=Mailer(settings.mail_url),
        )


def connect_redis(url: str) -> redis_client.Redis:
    """A client that gives up at once where Redis is unavailable: pages do without it, and sweeps enqueue what it lost.

    A connection that Redis has closed meanwhile is opened again, once. The library would try for seconds.
    """
    retry = Retry(NoBackoff(), 1, supported_errors=(redis_client.ConnectionError,))
    return redis_client.Redis.from_url(
        url, socket_connect_timeout=1, socket_timeout=2, retry=retry, **redis_options(url)
    )


def outside(app: Flask | None = None) -> Outside:
    return (app or current_app).extensions["outside"]  # type: ignore[no-any-return]


settings: Settings = LocalProxy(lambda: outside().settings)  # type: ignore[assignment]
vault: Vault = LocalProxy(lambda: outside().vault)  # type: ignore[assignment]
redis: redis_client.Redis = LocalProxy(lambda: outside().redis)  # type: ignore[assignment]
graph: GraphClient = LocalProxy(lambda: outside().graph)  # type: ignore[assignment]
mailer: Mailer = LocalProxy(lambda: outside().mailer)  # type: ignore[assignment]
storage: stores.Storage = LocalProxy(lambda: outside().storage)  # type: ignore[assignment]
