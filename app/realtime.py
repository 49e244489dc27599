"""Live events: published to Redis, fanned out from one subscription per process to its open streams.

An event only names what changed (`conversation <id>`); pages fetch the rest under their own permissions.
The last events of each tenant stay in a Redis stream, so that a reconnecting page gets what it missed.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis as redis_client
import structlog

log = structlog.get_logger()

REPLAYED = 500
PING_SECONDS = 15
# How long a new stream waits until this process hears what is published.
PATIENCE_SECONDS = 2
# A stream ends after this long; the page reconnects and is authenticated again.
LIFETIME_SECONDS = 120
CHANNEL = "live:{}"
# Users whose sessions or rights have just changed: their streams end, and their pages are asked again who they are.
ENDED = "live-ended"
PER_USER, PER_TENANT = 30, 1000
PUBLISH = """
for i = 2, #ARGV do
    local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'e', ARGV[i])
    redis.call('PUBLISH', KEYS[1], id .. ' ' .. ARGV[i])
end
redis.call('EXPIRE', KEYS[1], 86400)
"""
EVERYTHING = "everything *"
END = "end"
# A page's position is echoed in the answer, so nothing else is accepted.
POSITION = re.compile(r"\d{1,20}-\d{1,20}", re.ASCII)
NOWHERE = "0-0"
RELOAD = "event: reload\ndata: \n\n"


def publish(redis: redis_client.Redis, tenant_id: uuid.UUID, events: Sequence[str]) -> None:
    """Best effort: without Redis pages fall back to polling."""
    # More than a page could replay is one event: reload everything.
    published = events if len(events) <= REPLAYED else [EVERYTHING]
    try:
        redis.eval(PUBLISH, 1, CHANNEL.format(tenant_id), REPLAYED, *published)
    except redis_client.RedisError as error:
        log.warning("live event not published", error=type(error).__name__)


def whisper(redis: redis_client.Redis, tenant_id: uuid.UUID, event: str) -> None:
    """Publishes an event that is not replayed: it is stale by the time a page reconnects."""
    try:
        redis.publish(CHANNEL.format(tenant_id), f" {event}")
    except redis_client.RedisError as error:
        log.warning("live event not published", error=type(error).__name__)


def end_streams(redis: redis_client.Redis, user_id: uuid.UUID) -> None:
    """Ends a user's streams in every process. Without Redis they end by themselves within two minutes."""
    try:
        redis.publish(ENDED, str(user_id))
    except redis_client.RedisError as error:
        log.warning("streams not ended", error=type(error).__name__)


class TooManyStreams(Exception):
    """This process or tenant has as many open streams as it may; the page polls instead."""


@dataclass(eq=False)
class Stream:
    """What waits to be written to one open page."""

    channel: str
    user_id: uuid.UUID
    events: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)


class Hub:
    """The streams of one process, by tenant."""

    def __init__(self, redis: redis_client.Redis, *, capacity: int = 2000) -> None:
        self.redis, self.capacity = redis, capacity
        # Of each channel, the oldest first.
        self.streams: dict[str, dict[Stream, None]] = defaultdict(dict)
        self.lock = threading.Lock()
        self.listener: threading.Thread | None = None
        self.is_listening = threading.Event()
        # Whether some stream may have missed something: it was open while nothing was heard.
        self.has_gap = False

    @property
    def count(self) -> int:
        return sum(map(len, self.streams.values()))

    def open(self, tenant_id: uuid.UUID, user_id: uuid.UUID, last_event_id: str | None) -> Iterator[str]:
        """A tenant's events as server-sent events, first those after `last_event_id`. Raises `TooManyStreams`.

        The place is taken by the running generator only: an answer that never starts (HEAD, an error) takes none.
        """
        if last_event_id and not POSITION.fullmatch(last_event_id):
            last_event_id = NOWHERE
        stream = Stream(CHANNEL.format(tenant_id), user_id)
        with self.lock:
            self.refuse_too_many(stream)
        return self.run(stream, last_event_id)

    def run(self, stream: Stream, last_event_id: str | None) -> Iterator[str]:
        end = time.monotonic() + LIFETIME_SECONDS
        try:
            self.add(stream)
        except TooManyStreams:
            yield "retry: 20000\n\n"
            return
        try:
            # First to hear and then to read, so that nothing falls in between.
            if not self.is_listening.wait(PATIENCE_SECONDS):
                self.has_gap = True
            # An id without data is no event; it sets the position from which the page resumes.
            yield f"retry: 500\n: open\nid: {last_event_id or self.latest(stream.channel)}\n\n"
            yield from self.missed_events(stream.channel, last_event_id)
            while time.monotonic() < end:
                try:
                    event = stream.events.get(timeout=PING_SECONDS)
                except queue.Empty:
                    event = ": ping\n\n"
                if event is END:
                    return
                yield event
        finally:
            self.remove(stream)

    def add(self, stream: Stream) -> None:
        with self.lock:
            self.refuse_too_many(stream)
            self.end_oldest_of(stream.user_id, stream.channel)
            self.streams[stream.channel][stream] = None
            self.listen()

    def refuse_too_many(self, stream: Stream) -> None:
        if self.count >= self.capacity or len(self.streams.get(stream.channel, ())) >= PER_TENANT:
            raise TooManyStreams

    def end_oldest_of(self, user_id: uuid.UUID, channel: str) -> None:
        """Ends the oldest stream of a user with too many: its page was most likely closed."""
        mine = [stream for stream in self.streams[channel] if stream.user_id == user_id]
        for stream in mine[: max(len(mine) + 1 - PER_USER, 0)]:
            del self.streams[channel][stream]
            stream.events.put(END)

    def remove(self, stream: Stream) -> None:
        with self.lock:
            self.streams[stream.channel].pop(stream, None)
            if not self.streams[stream.channel]:
                del self.streams[stream.channel]

    def position(self, tenant_id: uuid.UUID) -> str:
        """The position that a page rendered now resumes from, so that it misses nothing until its stream is open."""
        return self.latest(CHANNEL.format(tenant_id))

    def latest(self, channel: str) -> str:
        try:
            newest: Any = self.redis.xrevrange(channel, count=1)
        except redis_client.RedisError:
            newest = []
        return str(newest[0][0].decode()) if newest else NOWHERE

    def missed_events(self, channel: str, last_event_id: str | None) -> Iterator[str]:
        if not last_event_id or last_event_id == self.latest(channel):
            return
        events = self.events_since(channel, last_event_id)
        if not events or events[0][0] != last_event_id:
            yield RELOAD
            return
        for event_id, event in events[1:]:
            yield as_event(event_id, event)

    def events_since(self, channel: str, event_id: str) -> list[tuple[str, str]]:
        try:
            entries: Any = self.redis.xrange(channel, min=event_id, count=REPLAYED + 1)
        except redis_client.RedisError:
            return []
        return [(id.decode(), fields[b"e"].decode()) for id, fields in entries]

    def close(self) -> None:
        """Ends every stream, so that a stopping process need not wait for them. Pages reconnect."""
        for channel in list(self.streams):
            self.send(channel, END)

    def close_on_sigterm(self) -> None:
        """Closes before whatever the server does on SIGTERM."""
        usual = signal.getsignal(signal.SIGTERM)

        def stop(number: int, frame: object) -> None:
            self.close()
            signal.signal(signal.SIGTERM, usual)
            os.kill(os.getpid(), number)

        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, stop)

    def listen(self) -> None:
        if self.listener is None or not self.listener.is_alive():
            self.listener = threading.Thread(target=self.fan_out, daemon=True, name="live events")
            self.listener.start()

    def fan_out(self) -> None:
        while True:
            try:
                self.relay()
            except (redis_client.RedisError, OSError):
                self.is_listening.clear()
                self.has_gap = True
                time.sleep(0.5)
                # Nothing is heard for now: every page asks by itself.
                self.send_to_all(RELOAD)

    def relay(self) -> None:
        patterns = CHANNEL.format("*"), ENDED
        with self.redis.pubsub() as subscription:  # type: ignore[no-untyped-call]
            subscription.psubscribe(*patterns)
            while True:
                message = subscription.get_message(timeout=1.0)
                if message and message["type"] == "psubscribe":
                    if message["data"] == len(patterns):
                        self.begin_to_listen()
                elif message and message["channel"].decode() == ENDED:
                    self.end(message["data"].decode())
                elif message:
                    event_id, _, event = message["data"].decode().partition(" ")
                    self.send(message["channel"].decode(), as_event(event_id, event))

    def begin_to_listen(self) -> None:
        self.is_listening.set()
        if self.has_gap:
            # What was published before is lost.
            self.has_gap = False
            self.send_to_all(RELOAD)

    def end(self, user_id: str) -> None:
        with self.lock:
            ended = [stream for mates in self.streams.values() for stream in mates if str(stream.user_id) == user_id]
        for stream in ended:
            stream.events.put(END)

    def send(self, channel: str, event: str) -> None:
        with self.lock:
            streams = list(self.streams.get(channel, ()))
        for stream in streams:
            stream.events.put(event)

    def send_to_all(self, event: str) -> None:
        for channel in list(self.streams):
            self.send(channel, event)


def as_event(event_id: str, event: str) -> str:
    if not event_id:
        return f"data: {event}\n\n"
    return f"id: {event_id}\n{RELOAD}" if event == EVERYTHING else f"id: {event_id}\ndata: {event}\n\n"
