"""Two engines that only know each other's session descriptions; what arrives is measured."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.calls.model import SourceContent
from app.media import api
from app.media.api import AudioInput, VideoInput
from app.media.engine import Engine
from app.protocols.sdp.codecs import AUDIO_CODECS
from app.protocols.sdp.description import parse
from app.protocols.sdp.media import NegotiatedMedia
from app.protocols.sdp.model import Options
from tests.media.test_engine_loop import Ear, Eye
from tests.media.transport_tools import eventually

LOOPBACK = ("127.0.0.1",)


class Phone:
    def __init__(self, name: str, options: Options | None = None) -> None:
        self.engine = Engine(bind_addresses=LOOPBACK)
        self.events: list[Any] = []
        self.changed = asyncio.Event()
        self.media = NegotiatedMedia(self.engine, name, self._on_event, options)
        self.ear = Ear(self.engine)

    def _on_event(self, event: Any) -> None:
        self.events.append(event)
        self.changed.set()

    async def until(self, condition: Any, timeout_s: float = 20.0) -> None:
        await eventually(condition, timeout_s, self.changed)

    async def connected(self) -> None:
        await self.until(lambda: any(getattr(e, "state", "") == "connected" for e in self.events))

    async def source(self, hz: float) -> None:
        await self.engine.set_microphone(AudioInput(kind="test", tone_hz=hz))

    def hears(self, hz: float) -> bool:
        """The tone stands out of the last 300 ms."""
        block = self.ear.heard(0.3).astype(np.float64)
        if len(block) < 9600:
            return False
        spectrum = np.abs(np.fft.rfft(block * np.hanning(len(block))))
        at = round(hz * len(block) / 48000)
        return bool(
            spectrum[at - 3 : at + 4].max() > 20 * np.median(spectrum) and spectrum[at - 3 : at + 4].max() > 1e5
        )

    def silent(self) -> bool:
        block = self.ear.heard(0.3)
        return len(block) >= 9600 and int(np.abs(block).max()) < 50


async def exchange(offerer: Phone, answerer: Phone, **options: Any) -> tuple[str, str]:
    offer = await offerer.media.offer(**options)
    answerer.media.offered(offer)
    answer = await answerer.media.answer()
    await offerer.media.answered(answer)
    return offer, answer


@pytest.fixture
async def phones() -> Any:
    made: list[Phone] = []

    def make(name: str, options: Options | None = None) -> Phone:
        made.append(Phone(name, options))
        return made[-1]

    yield make
    for phone in made:
        phone.ear.remove()
    await asyncio.gather(*(phone.media.close() for phone in made))
    await asyncio.gather(*(phone.engine.close() for phone in made))


async def audio_call(make: Any, **b_options: Any) -> tuple[Phone, Phone]:
    a, b = make("a"), make("b", Options(**b_options) if b_options else None)
    a.media.negotiation.add_line("audio")
    await exchange(a, b)
    await asyncio.gather(a.connected(), b.connected(), a.source(440.0), b.source(1000.0))
    return a, b


async def test_sound_hold_and_resume(phones: Any) -> None:
    a, b = await audio_call(phones)
    await a.until(lambda: a.hears(1000.0))
    await b.until(lambda: b.hears(440.0))
    a.media.negotiation.hold(True)
    offer, answer = await exchange(a, b)
    assert parse(offer).sections[0].direction == "sendonly"
    assert parse(answer).sections[0].direction == "recvonly"
    assert b.media.outcome is not None and b.media.outcome.held_by_remote
    await a.until(a.silent)
    a.media.negotiation.hold(False)
    await exchange(a, b)
    await a.until(lambda: a.hears(1000.0))
    await b.until(lambda: b.hears(440.0))


async def test_mute_survives_hold(phones: Any) -> None:
    a, b = await audio_call(phones)
    await b.until(lambda: b.hears(440.0))
    a.media.set_muted("0", True)
    await b.until(b.silent)
    for held in (True, False):
        a.media.negotiation.hold(held)
        await exchange(a, b)
    await a.until(lambda: a.hears(1000.0))
    assert not b.hears(440.0)
    a.media.set_muted("0", False)
    await b.until(lambda: b.hears(440.0))


async def test_peer_with_one_old_codec(phones: Any) -> None:
    """The offerer's sender was made for Opus; the answer allows PCMA only."""
    pcma = tuple(c for c in AUDIO_CODECS if c.name in ("PCMA",))
    a, b = await audio_call(phones, audio=pcma)
    await a.until(lambda: a.hears(1000.0))
    await b.until(lambda: b.hears(440.0))


async def test_video_is_added_and_stopped(phones: Any) -> None:
    a, b = await audio_call(phones)
    await b.until(lambda: b.hears(440.0))
    await a.engine.set_camera(VideoInput(kind="test", width=640, height=360, fps=15))
    mid = a.media.negotiation.add_line("video")
    await exchange(a, b)
    shown = Eye(b.media.transport.slot(f"b/{mid}"))
    await b.until(lambda: len(shown.stamps) > 3)
    assert any(isinstance(e, api.SourceStarted) and e.name == f"b/{mid}" for e in b.events)
    a.media.negotiation.stop(mid)
    offer, answer = await exchange(a, b)
    assert parse(offer).sections[1].rejected and parse(answer).sections[1].rejected
    assert parse(answer).bundle == ("0",)
    assert [s.mid for s in b.media.sources] == ["0"]
    await b.until(lambda: b.hears(440.0))


async def test_refused_change_leaves_the_call_alone(phones: Any) -> None:
    a, b = await audio_call(phones)
    await b.until(lambda: b.hears(440.0))
    a.media.negotiation.hold(True)
    a.media.negotiation.add_line("video")
    await a.media.offer()
    await a.media.refuse()
    assert not a.media.negotiation.held and len(a.media.negotiation.lines) == 1
    await a.until(lambda: a.hears(1000.0))
    await b.until(lambda: b.hears(440.0))


async def test_ice_restart_keeps_the_sound(phones: Any) -> None:
    a, b = await audio_call(phones)
    await b.until(lambda: b.hears(440.0))
    first = parse(await a.media.offer()).transport
    await a.media.refuse()
    offer, answer = await exchange(a, b, ice_restart=True)
    assert first is not None and parse(offer).transport.ufrag != first.ufrag  # type: ignore[union-attr]
    b.ear._blocks.clear()
    await b.until(lambda: b.hears(440.0))
    await a.until(lambda: a.hears(1000.0))
    await exchange(b, a)
    await b.until(lambda: b.hears(440.0))


async def test_other_codec_in_the_middle_of_a_call(phones: Any) -> None:
    """The same SSRC goes on with another payload type; the far side's SRTP must not lose count."""
    a, b = await audio_call(phones)
    await b.until(lambda: b.hears(440.0))
    pcma = tuple(c for c in AUDIO_CODECS if c.name == "PCMA")
    b.media.negotiation.options = replace(b.media.negotiation.options, audio=pcma)
    for offerer, answerer in ((a, b), (b, a)):
        await exchange(offerer, answerer)
        a.ear._blocks.clear()
        b.ear._blocks.clear()
        await a.until(lambda: a.hears(1000.0))
        await b.until(lambda: b.hears(440.0))
    assert a.media.outcome is not None and [c.name for c in a.media.outcome.media[0].codecs] == ["PCMA"]


async def test_camera_and_slides_go_out_on_lines_of_their_own(phones: Any) -> None:
    a, b = phones("a"), phones("b", Options(send_video=False))
    a.media.negotiation.add_line("audio")
    a.media.negotiation.add_line("video", content="main")
    a.media.negotiation.add_line("video", content="slides")
    await a.engine.set_camera(VideoInput(kind="test", width=320, height=180, fps=10))
    await a.engine.set_screen(VideoInput(kind="test", width=640, height=360, fps=10))
    await exchange(a, b)
    assert [(s.mid, s.content.value) for s in b.media.sources if s.kind.value == "video"] == [
        ("1", "camera"), ("2", "screen"),
    ]  # fmt: skip
    camera, slides = Eye(b.media.transport.slot("b/1")), Eye(b.media.transport.slot("b/2"))
    await b.until(lambda: len(camera.stamps) > 2 and len(slides.stamps) > 2)
    assert max(camera.sizes) < max(slides.sizes)
    a.media.negotiation.change("2", wanted="inactive")
    await exchange(a, b)
    assert [s.mid for s in b.media.sources] == ["0", "1"]
    seen, before = len(camera.stamps), len(slides.stamps)
    await b.until(lambda: len(camera.stamps) > seen + 3)
    assert len(slides.stamps) == before


async def test_far_side_that_names_no_ssrc(phones: Any) -> None:
    a, b = phones("a"), phones("b")
    a.media.negotiation.add_line("audio")
    a.media.negotiation.add_line("video")
    await a.engine.set_camera(VideoInput(kind="test", width=320, height=180, fps=10))
    offer = "".join(f"{x}\r\n" for x in (await a.media.offer()).split("\r\n") if x and not x.startswith("a=ssrc"))
    b.media.offered(offer)
    await a.media.answered(await b.media.answer())
    await a.source(440.0)
    eye = Eye(b.media.transport.slot("b/1"))
    await b.until(lambda: b.hears(440.0) and len(eye.stamps) > 2)


async def test_new_endpoint_gets_a_new_transport(phones: Any) -> None:
    """A transferred call: the offer comes from another machine, in the same call for us."""
    a, b = await audio_call(phones)
    await b.until(lambda: b.hears(440.0))
    c = phones("c")
    await c.source(2000.0)
    c.media.negotiation.add_line("audio")
    b.media.offered(await c.media.offer())
    await c.media.answered(await b.media.answer())
    await b.until(lambda: b.hears(2000.0))
    await c.until(lambda: c.hears(1000.0))


async def test_screen_instead_of_the_camera_needs_no_exchange(phones: Any) -> None:
    a, b = phones("a"), phones("b", Options(send_video=False))
    a.media.negotiation.add_line("audio")
    a.media.negotiation.add_line("video")
    await a.engine.set_camera(VideoInput(kind="test", width=320, height=180, fps=10))
    await a.engine.set_screen(VideoInput(kind="test", width=640, height=360, fps=10))
    await exchange(a, b)
    eye = Eye(b.media.transport.slot("b/1"))
    await b.until(lambda: len(eye.stamps) > 2)
    assert eye.sizes == {(320, 180)}
    ssrc = a.media.negotiation.line("1").source.ssrc
    await a.media.replace_sender("1", SourceContent.SCREEN)
    await b.until(lambda: (640, 360) in eye.sizes)
    a.media.set_muted("1", True)
    await a.media.replace_sender("1", SourceContent.CAMERA)
    seen = len(eye.stamps)
    a.media.set_muted("1", False)
    await b.until(lambda: len(eye.stamps) > seen + 3)
    assert a.media.negotiation.line("1").source.ssrc == ssrc
