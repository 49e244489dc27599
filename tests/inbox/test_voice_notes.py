"""Recordings of a browser become voice notes as WhatsApp takes them; hostile ones hurt no one."""

from __future__ import annotations

import array
import base64
import importlib.util
import io
import math
import tempfile
import uuid

import av
import pytest
from av.audio.stream import AudioStream

from app.inbox.files import voice, waveform
from app.inbox.files.voice import VoiceNote, make_voice_note
from app.inbox.files.waveform import Waveform, draw_waveform
from app.inbox.inbound.jobs import draw_sound, fetch
from tests.arrivals import files
from tests.client import FRAGMENT, Browser
from tests.enqueued import Enqueued
from tests.inbox.test_sending_types import contents, go, outbound
from tests.simulated import Road

RATE = 48_000
PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"

pytestmark = pytest.mark.usefixtures("at_once")


def recording(
    container: str = "webm", codec: str = "libopus", seconds: int = 2, layout: str = "mono", quiet_from: int = 99
) -> bytes:
    """What a browser's MediaRecorder gives."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=RATE)
        assert isinstance(stream, AudioStream)
        stream.layout = layout
        form, size = ("s16", 960) if codec == "libopus" else ("fltp", 1152 if codec == "libmp3lame" else 1024)
        for start in range(0, seconds * RATE, size):
            tone = [math.sin((start + place) / 20) / 3 * (start < quiet_from * RATE) for place in range(size)]
            frame = av.AudioFrame(format=form, layout=layout, samples=size)
            frame.sample_rate, frame.pts = RATE, start
            samples = array.array("h", [int(one * 30000) for one in tone]) if form == "s16" else array.array("f", tone)
            for plane in frame.planes:
                plane.update((samples * (plane.buffer_size // (samples.itemsize * size)))[:].tobytes())
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def drawn_of(data: bytes) -> Waveform | None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        return draw_waveform(file)


@pytest.mark.parametrize(
    ("container", "codec"),
    [("webm", "libopus"), ("ogg", "libopus"), ("mp4", "aac"), ("adts", "aac"), ("mp3", "libmp3lame")],
)
def test_the_waveform_of_a_sound_has_48_bars(container: str, codec: str) -> None:
    drawn = drawn_of(recording(container, codec))
    assert drawn and drawn.seconds == 2 and len(drawn.levels) == 48
    assert max(drawn.levels) == 255 and min(drawn.levels[2:-2]) > 200


def test_a_waveform_shows_where_a_sound_is_quiet() -> None:
    drawn = drawn_of(recording("ogg", quiet_from=1))
    assert drawn and min(drawn.levels[2:22]) > 200 and max(drawn.levels[27:]) < 20


@pytest.mark.parametrize("data", [b"", PLAYLIST, b"OggS" * 999, b"\xff\xfb" + b"\x00" * 500, b"#!AMR\n" + b"\x00" * 99])
def test_what_is_no_sound_is_not_drawn(data: bytes) -> None:
    assert drawn_of(data) is None


def test_silence_is_not_drawn() -> None:
    assert drawn_of(recording("ogg", quiet_from=0)) is None


def test_without_the_decoder_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waveform, "can_make_voice_notes", lambda: False)
    assert drawn_of(recording("ogg")) is None


def made_of(data: bytes) -> VoiceNote | None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        return make_voice_note(file)


@pytest.mark.parametrize(("container", "codec"), [("webm", "libopus"), ("ogg", "libopus"), ("mp4", "aac")])
def test_a_recording_becomes_opus_in_one_channel(container: str, codec: str) -> None:
    note = made_of(recording(container, codec))
    assert note and note.seconds == 2 and note.data.startswith(b"OggS")
    with av.open(io.BytesIO(note.data)) as heard:
        assert heard.streams.audio[0].codec_context.name == "libopus" or "opus" in (heard.streams.audio[0].name or "")
        assert heard.streams.audio[0].codec_context.layout.name == "mono"


def test_stereo_is_mixed_down() -> None:
    note = made_of(recording(layout="stereo"))
    assert note and note.data[note.data.find(b"OpusHead") + 9] == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"\x1a\x45\xdf\xa3" + b"\xff" * 5000, recording()[:60], PLAYLIST, b"RIFF\x00\x00\x00\x00WAVE", b"OggS" * 999],
)
def test_what_is_no_recording_gives_none(data: bytes) -> None:
    assert made_of(data) is None


def test_a_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "SECONDS", 0.01)
    assert made_of(recording()) is None


def test_a_voice_note_is_sent_as_one(road: Road, ann: Browser) -> None:
    talk = road.customer_writes()
    data = {"voice": (io.BytesIO(recording()), "voice"), "client_id": str(uuid.uuid4()), "body": ""}
    page = ann.post(f"~/inbox/{talk.id}/messages", data, headers=FRAGMENT)
    assert page.status_code == 200, page.text
    assert "0:02" in page.text
    go(road)
    (sent,) = contents(road)
    assert sent["type"] == "audio" and sent["content"]["voice"] is True
    road.until(lambda: outbound(road)[0].state == "delivered")
    road.meta.post("plays", wamid=outbound(road)[0].wamid)
    road.until(lambda: outbound(road)[0].state == "played")


def test_a_voice_note_that_was_sent_is_drawn(road: Road, ann: Browser, enqueued: Enqueued) -> None:
    talk = road.customer_writes()
    data = {"voice": (io.BytesIO(recording()), "voice"), "client_id": str(uuid.uuid4()), "body": ""}
    ann.post(f"~/inbox/{talk.id}/messages", data, headers=FRAGMENT)
    go(road)
    assert "inbound.draw_sound" in enqueued.names
    (media,) = files(road.world)
    draw_sound(road.world.bakery.id, media.id)
    assert 'class="waveform"' in ann.get(f"~/inbox/{talk.id}").text


def test_a_voice_note_that_arrives_is_drawn_once(road: Road, ann: Browser, enqueued: Enqueued) -> None:
    talk, note = road.customer_writes(), base64.b64encode(recording("ogg")).decode()
    road.meta.post("inbound", **road.ids, type="voice", file_base64=note, **{"from": "16505551234"})
    road.until(lambda: len(files(road.world)) == 1)
    (media,) = files(road.world)
    fetch(road.world.bakery.id, media.id)
    assert "inbound.draw_sound" in enqueued.names
    draw_sound(road.world.bakery.id, media.id)
    page = ann.get("~/inbox/").text + ann.get(f"~/inbox/{talk.id}").text
    assert files(road.world)[0].waveform and "0:02" in page
    draw_sound(road.world.bakery.id, media.id)


def test_a_broken_recording_is_refused_in_words(road: Road, ann: Browser) -> None:
    talk = road.customer_writes()
    data = {"voice": (io.BytesIO(PLAYLIST), "voice"), "body": ""}
    answer = ann.post(f"~/inbox/{talk.id}/messages", data, headers=FRAGMENT)
    assert answer.status_code == 422 and "Record it again" in answer.text
    assert outbound(road) == []


def test_without_the_converter_the_button_says_so(road: Road, ann: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = road.customer_writes()
    assert "data-unavailable" not in ann.get(f"~/inbox/{talk.id}").text
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "data-unavailable" in ann.get(f"~/inbox/{talk.id}").text
