import json
import logging

import httpx

from simulator import later_failures
from simulator.context import Context
from simulator.http import http_client
from simulator.loop import LONGEST_NAP
from simulator.media import LARGEST, Media
from simulator.messages import Message

log = logging.getLogger(__name__)

PATIENCE = 5.0


class Links:
    """Fetches the files that businesses send as links. A failed fetch fails the message with 131053."""

    def __init__(self, world: Context, transport: httpx.BaseTransport | None = None) -> None:
        self.world = world
        self.http = http_client(transport, PATIENCE, follow_redirects=True)
        world.loops.add("links", self._turn)

    def run_due(self) -> int:
        waiting = self.world.store.rows("select id, message_id from fetches order by id limit 50")
        for id, message_id in waiting:
            self._prepare(message_id)
            self.world.store.write("delete from fetches where id = ?", id)
        return len(waiting)

    def _prepare(self, message_id: str) -> None:
        message = Message.find(self.world, message_id)
        if message is None:
            return
        fetched: dict[str, str] = {}
        for kind, link in later_failures.links_in(message):
            media, trouble = self._fetch(message, kind, link)
            if media is None:
                message.update(trouble=trouble)
                self.world.timeline.plan(
                    message.id, "failed", within=(0.1, 0.5), error_code=later_failures.UNUSABLE_FILE
                )
                return
            fetched[link] = media.id
        message.update(shown=json.dumps(message.shape | {"fetched": fetched}, ensure_ascii=False))
        self.world.timeline.plan(message.id, "sent", within=(0.1, 0.5))

    def _fetch(self, message: Message, kind: str, link: str) -> tuple[Media | None, str]:
        try:
            data, mime_type = self._download(link, LARGEST[kind])
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return None, f"Downloading media from weblink failed: {error or type(error).__name__}"
        media = Media.save(self.world, message.number, "link", mime_type, data, link.rpartition("/")[2])
        if media.fits(kind):
            return media, ""
        return None, f"Media of type {media.plain_type} cannot be sent as {kind}."

    def _download(self, link: str, most: int) -> tuple[bytes, str]:
        data = bytearray()
        with self.http.stream("GET", link) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                data += chunk
                if len(data) > most:
                    raise ValueError(f"the file is larger than {most} bytes")
        return bytes(data), answer.headers.get("content-type", "application/octet-stream")

    def _turn(self) -> float:
        return 0.0 if self.run_due() else LONGEST_NAP
