"""What is done with a version at Meta: created, uploaded, published, deprecated, deleted. Each may run twice."""

from __future__ import annotations

import datetime as dt
import uuid

import structlog

from app.crypto import Undecryptable
from app.extensions import outside
from app.meta import flow_calls as calls
from app.meta.errors import Kind, MetaError, NoAnswer, explain
from app.tenancy import commit, now
from app.wabas.models import Waba

from .endpoint_address import endpoint_of
from .keys import register_keys
from .models import GONE, FlowVersion

log = structlog.get_logger()

TRIES = 8
LEASE = dt.timedelta(seconds=90)
PASSING = (Kind.RETRY, Kind.THROTTLE, Kind.PAUSE_NUMBER, Kind.UNKNOWN_OUTCOME)
# Meta's code for a token that is none.
NO_ACCESS = 190


class Errand:
    """One try at a version's task. It is leased, and no transaction is open while Meta is called."""

    def __init__(self, version: FlowVersion) -> None:
        self.version, self.task = version, version.task
        flow = version.flow
        self.waba = flow.waba
        self.token, self.waba_meta_id = access_to(self.waba), self.waba.meta_id
        self.name, self.categories = version.name_at_meta, list(flow.categories)
        self.flow_json = version.flow_json
        self.is_live = version.is_live
        self.endpoint = endpoint_of(version) if self.is_live else ""
        self.graph = outside().graph

    @classmethod
    def claim(cls, version_id: uuid.UUID) -> Errand | None:
        """Leases the version, unless there is nothing to do or another job has it."""
        version = FlowVersion.get_or_404(version_id).refresh_locked()
        if not version.task or (version.task_at and version.task_at > now()):
            return None
        version.task_attempts += 1
        version.task_at = now() + LEASE
        return cls(version)

    def run(self) -> None:
        commit()
        try:
            if not self.token:
                raise MetaError(explain(NO_ACCESS))
            self.apply()
        except MetaError as error:
            self.settle_refusal(error)
        else:
            self.settle()

    def apply(self) -> None:
        match self.task:
            case "upload":
                self.upload()
            case "publish":
                self.publish()
            case "deprecate":
                if self.seen().status != "DEPRECATED":
                    calls.deprecate(self.graph, self.token, self.version.meta_id)
            case "delete":
                self.delete()

    def upload(self) -> list[calls.FlowProblem]:
        """Makes the draft at Meta, unless an earlier try did, and gives it the form."""
        if not self.version.meta_id:
            self.create()
        return calls.upload(self.graph, self.token, self.version.meta_id, self.flow_json)

    def create(self) -> None:
        again = self.version.task_attempts > 1
        there = calls.named(self.graph, self.token, self.waba_meta_id, self.name) if again else None
        if there and there.status == "DRAFT":
            meta_id = there.id
        else:
            meta_id = calls.create(self.graph, self.token, self.waba_meta_id, self.name, self.categories, self.endpoint)
        version = self.version.refresh_locked()
        version.meta_id, version.status = meta_id, "DRAFT"
        commit()

    def publish(self) -> None:
        """What an earlier try has published already is left alone: Meta changes nothing that is published."""
        if self.version.meta_id and self.seen().status == "PUBLISHED":
            return
        if self.is_live:
            register_keys(self.waba.id, self.graph, self.token)
        if not self.upload():
            calls.publish(self.graph, self.token, self.version.meta_id)

    def delete(self) -> None:
        if self.version.meta_id:
            calls.delete(self.graph, self.token, self.version.meta_id)

    def seen(self) -> calls.Fetched:
        return calls.get(self.graph, self.token, self.version.meta_id)

    def settle(self) -> None:
        fetched = None
        if self.task != "delete":
            try:
                fetched = self.seen()
            except MetaError as error:
                return self.settle_refusal(error)
        version = self.version.refresh_locked()
        version.task, version.task_at, version.error = "", None, None
        if fetched:
            version.take(fetched)
        else:
            version.turn(GONE)
        return None

    def settle_refusal(self, error: MetaError) -> None:
        log.info("flow not changed", version_id=str(self.version.id), task=self.task, meta_code=error.code)
        version = self.version.refresh_locked()
        is_open = isinstance(error, NoAnswer) or error.kind in PASSING
        version.error = error.as_dict()
        if is_open and version.task_attempts < TRIES:
            version.task_at = now() + dt.timedelta(seconds=min(5 * 2**version.task_attempts, 600))
        else:
            version.task, version.task_at = "", None
        version.announce()


def access_to(waba: Waba) -> str:
    """The account's token; empty where there is none that can be read."""
    try:
        return waba.token or ""
    except Undecryptable:
        return ""
