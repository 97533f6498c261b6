"""The call core: what the window shows is what holds, whatever order things happen in."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from app.calls import events as ev
from app.calls.model import CallPhase, CallState
from app.calls.phone import Direction, PhoneInfo
from app.calls.reducer import reduce
from app.vendors.wazo.errors import failure
from app.vendors.wazo.phone_core import CallCore, MuteLine, Picture, Settled


class Call:
    """A core, the state that the window would have, and lines as the media would have them."""

    def __init__(self, direction: Direction = Direction.OUTGOING) -> None:
        self.core = CallCore(PhoneInfo(direction, remote_number="1002"), local_name="Me", now_ms=lambda: 1000)
        self.state = CallState("c", phase=CallPhase.IDLE)
        self.lines: dict[str, bool] = {}
        self.settled: list[object] = []
        self.core.begin()
        self.drain()

    def drain(self) -> None:
        while self.core.out:
            item = self.core.out.pop(0)
            if isinstance(item, MuteLine):
                self.lines[item.kind] = item.muted
            elif isinstance(item, Settled):
                self.settled.append(item.failure)
            else:
                self.state = reduce(self.state, item)

    def up(self) -> Call:
        self.core.answered(video=False, picture=Picture.NONE)
        self.drain()
        return self

    def exchange(self, accept: bool = True, *, video: bool | None = None, retry: bool = False) -> bool:
        found = self.core.next_exchange()
        if found is None:
            return False
        if accept:
            self.core.exchange_done(video=found.wanted.video if video is None else video)
        else:
            self.core.exchange_failed(failure("no_codec"), retry=retry)
        self.drain()
        return True


def test_an_outgoing_call_rings_and_is_answered() -> None:
    call = Call()
    assert call.state.phase is CallPhase.CONNECTING
    call.core.progress(183, early_media=True)
    call.drain()
    assert call.state.phase is CallPhase.RINGING and call.state.phone and call.state.phone.early_media
    call.up()
    assert call.state.phase is CallPhase.JOINED and call.state.phone.answered_at == 1000
    assert set(call.state.participants) == {"local", "remote"} and call.lines == {"audio": False, "video": True}


def test_hold_is_silent_at_once_and_shown_when_agreed() -> None:
    call = Call().up()
    call.core.set_hold(True)
    call.drain()
    assert call.lines["audio"] and call.state.phone and not call.state.phone.held
    assert call.exchange() and call.state.phone.held and call.settled[-1] is None
    call.core.set_hold(False)
    call.drain()
    assert call.lines["audio"], "not heard again before the far side agreed"
    assert call.exchange() and not call.lines["audio"] and not call.state.phone.held


def test_a_refused_hold_leaves_everything_as_it_was() -> None:
    call = Call().up()
    call.core.set_hold(True)
    call.exchange(accept=False)
    assert call.state.phone and not call.state.phone.held and not call.lines["audio"]
    assert getattr(call.settled[-1], "code", "") == "no_codec" and not call.exchange()


def test_after_a_glare_the_wish_is_offered_again() -> None:
    call = Call().up()
    call.core.set_hold(True)
    call.exchange(accept=False, retry=True)
    assert call.core.next_exchange() is None and not call.settled
    call.core.retry()
    assert call.exchange() and call.state.phone and call.state.phone.held


def test_video_that_is_refused_is_not_shown() -> None:
    call = Call().up()
    call.core.set_camera(False)
    call.core.set_picture(Picture.CAMERA)
    exchange = call.core.next_exchange()
    assert exchange is not None and exchange.subject == "upgrade-video"
    call.core.exchange_done(video=False)
    call.drain()
    assert call.state.local.camera_muted and call.lines["video"] and call.state.phone and not call.state.phone.video
    assert not call.exchange()


def test_screen_share_subject_and_state() -> None:
    call = Call().up()
    call.core.set_picture(Picture.SCREEN)
    exchange = call.core.next_exchange()
    assert exchange is not None and exchange.subject == "screenshare"
    call.core.exchange_done(video=True)
    call.drain()
    assert call.state.local.sharing_screen and not call.lines["video"]


def test_a_lost_connection_keeps_the_call_and_restarts_ice() -> None:
    call = Call().up()
    call.core.disconnected()
    call.drain()
    assert call.state.phase is CallPhase.RECONNECTING
    call.core.reconnected()
    exchange = call.core.next_exchange()
    assert exchange is not None and exchange.ice_restart
    call.core.exchange_done(video=False)
    call.drain()
    assert call.state.phase is CallPhase.JOINED


def test_endings_have_their_cause() -> None:
    for code, cause in (("busy", "busy"), ("elsewhere", "elsewhere"), ("normal", "normal"), ("no_media", "failed")):
        call = Call(Direction.INCOMING)
        call.core.ended(code, failure(code) if code != "normal" else None, failed=code in ("busy", "no_media"))
        call.drain()
        assert call.state.phone and call.state.phone.cause == cause
        assert call.state.phase is (CallPhase.FAILED if code in ("busy", "no_media") else CallPhase.ENDED)
        call.core.set_hold(True)
        assert call.core.next_exchange() is None


ACTIONS = st.lists(
    st.sampled_from(
        ["mute", "unmute", "camera", "no camera", "hold", "resume", "video", "audio", "screen", "accept", "refuse",
         "glare", "retry", "remote hold", "remote back", "remote stops video", "drop", "back"]
    ),
    max_size=40,
)  # fmt: skip


def act(call: Call, name: str) -> None:
    core = call.core
    match name:
        case "mute" | "unmute":
            core.set_microphone(name == "mute")
        case "camera" | "no camera":
            core.set_camera(name == "no camera")
            if name == "camera" and core.wanted.picture is Picture.NONE:
                core.set_picture(Picture.CAMERA)
        case "hold" | "resume":
            core.set_hold(name == "hold")
        case "video":
            core.set_camera(False)
            core.set_picture(Picture.CAMERA)
        case "audio":
            core.set_picture(Picture.NONE, video=False)
        case "screen":
            core.set_picture(Picture.SCREEN)
        case "accept" | "refuse" | "glare":
            call.exchange(name == "accept", retry=name == "glare")
        case "retry":
            core.retry()
        case "remote hold" | "remote back":
            core.remote_changed(held_by_remote=name == "remote hold", video=core.agreed.video)
        case "remote stops video":
            core.remote_changed(held_by_remote=False, video=False)
        case "drop":
            core.disconnected()
        case "back":
            core.reconnected()
    call.drain()


@settings(max_examples=400, deadline=None)
@given(ACTIONS)
def test_mute_camera_and_hold_are_the_truth(names: list[str]) -> None:
    call = Call().up()
    muted = False
    for name in names:
        act(call, name)
        muted = {"mute": True, "unmute": False}.get(name, muted)
        check(call, muted)
    # Once nothing is open any more and nobody holds, everybody hears whom the person let be heard.
    call.core.set_hold(False)
    call.core.retry()
    call.drain()
    while call.exchange():
        pass
    check(call, muted)
    assert call.state.phone is not None and not call.state.phone.held
    assert call.lines["audio"] is muted and call.core.settled
    assert call.core.wanted == call.core.agreed


def check(call: Call, muted: bool) -> None:
    core, state, lines = call.core, call.state, call.lines
    assert state.phone is not None
    assert state.local.microphone_muted is muted is core.microphone_muted
    assert state.local.camera_muted is core.camera_muted
    assert state.phone.held is core.agreed.held and state.phone.video is core.agreed.video
    assert state.local.sharing_screen is (core.agreed.picture is Picture.SCREEN)
    assert lines["audio"] is (muted or core.wanted.held or core.agreed.held)
    if state.phone.held or muted:
        assert lines["audio"]
    if not lines["video"]:
        assert state.local.sharing_screen or not state.local.camera_muted
        assert not state.phone.held
    if core.agreed.picture is Picture.NONE:
        assert lines["video"]


def test_names_that_come_later() -> None:
    call = Call().up()
    call.core.named("Bob", "1002")
    call.drain()
    assert call.state.participants["remote"].name == "Bob"
    before = replace(call.state)
    call.core.named("", "")
    call.drain()
    assert call.state == before
    assert isinstance(call.state.phone, PhoneInfo) and call.state.phone.remote_name == "Bob"


def test_no_event_follows_the_end() -> None:
    call = Call().up()
    call.core.ended("normal")
    call.drain()
    call.core.progress(180, early_media=False)
    call.core.answered(video=True, picture=Picture.CAMERA)
    call.core.disconnected()
    assert not [item for item in call.core.out if isinstance(item, ev.PhaseChanged)]
