"""Stand-ins for the controller and its pictures, for tests and screenshots of the window.

:class:`FakeController` implements :class:`app.controller.api.ControllerApi`; :func:`meeting` makes states of any size;
:class:`FakeSlot` shows synthetic faces and slides.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QLinearGradient, QPainter, QRadialGradient

from app.calls import actions as a
from app.calls.actions import Action
from app.calls.events import (
    AudioLevelsChanged,
    CallEvent,
    DominantSpeakerChanged,
    LocalMediaChanged,
    MessageReceived,
    MessagesRead,
    ParticipantChanged,
    PhaseChanged,
)
from app.calls.model import (
    CallPhase,
    CallState,
    Capability,
    LocalMedia,
    MediaKind,
    Message,
    Participant,
    Role,
    Source,
    SourceContent,
    frozen_map,
)
from app.controller.api import JoinOptions, RecentMeeting, Recognition, Unsubscribe
from app.media.api import Device, EngineEvent, Picture
from app.storage.settings import defaults
from app.vendors.base import ActionRefused, Address
from tests.ui.fake_accounts import FakeAccounts

CALL = "call-1"
LOCAL = "local000"
NAMES = (
    "Amélie Laurent", "Tomás Herrera", "Priya Raman", "Jonas Lindqvist", "Mei-Ling Chen", "Oluwaseun Adebayo",
    "Sara Ben Youssef", "Daniel Kowalski", "Yuki Tanaka", "Fatima Zahra El Idrissi", "Liam O'Connor", "Nadia Petrova",
    "Marco Bianchi", "Chloé Dubois", "Ahmed Hassan", "Ingrid Sørensen", "Lucas Silva", "Hannah Weiss",
    "Raj Patel", "Elif Yılmaz", "Noah Thompson", "Camille Moreau", "Viktor Novák", "Aisha Khan",
)  # fmt: skip
START = 1_760_000_000_000


# ---------------------------------------------------------------- pictures


def _picture(image: QImage, sequence: int) -> Picture:
    data = bytes(image.constBits())
    return Picture(image.width(), image.height(), image.bytesPerLine(), data, sequence * 33.3, sequence)


@lru_cache(maxsize=64)
def face(seed: int, width: int = 640, height: int = 360) -> QImage:
    """A person in front of a wall: shapes and gradients, different for each *seed*."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    hue = (seed * 67) % 360
    wall = QLinearGradient(0, 0, width, height)
    wall.setColorAt(0, QColor.fromHsl(hue, 55, 165))
    wall.setColorAt(1, QColor.fromHsl((hue + 40) % 360, 60, 95))
    painter.fillRect(image.rect(), wall)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor.fromHsl((hue + 20) % 360, 40, 195))
    painter.drawRect(QRectF(width * 0.06, height * 0.08, width * 0.2, height * 0.5))
    painter.setBrush(QColor.fromHsl((hue + 200) % 360, 50, 120))
    for shelf in range(3):
        painter.drawRect(QRectF(width * 0.72, height * (0.12 + shelf * 0.2), width * 0.24, height * 0.02))
        for book in range(5):
            painter.drawRect(
                QRectF(width * (0.73 + book * 0.042), height * (0.02 + shelf * 0.2), width * 0.03, height * 0.1)
            )
    cx = width * (0.5 + ((seed % 5) - 2) * 0.03)
    skin = QColor.fromHsl(22 + seed % 12, 110, (205, 175, 140, 105, 190)[seed % 5])
    shirt = QColor.fromHsl((hue + 180) % 360, 120, 90)
    painter.setBrush(shirt)
    painter.drawEllipse(QPointF(cx, height * 1.08), width * 0.24, height * 0.38)
    painter.setBrush(skin.darker(112))
    painter.drawRect(QRectF(cx - height * 0.06, height * 0.58, height * 0.12, height * 0.18))
    painter.setBrush(QColor.fromHsl(25, 90, (30, 60, 90, 20, 120)[(seed // 2) % 5]))
    painter.drawEllipse(QPointF(cx, height * 0.40), height * 0.205, height * 0.255)
    light = QRadialGradient(cx - height * 0.06, height * 0.36, height * 0.34)
    light.setColorAt(0, skin.lighter(112))
    light.setColorAt(1, skin.darker(115))
    painter.setBrush(light)
    painter.drawEllipse(QPointF(cx, height * 0.45), height * 0.165, height * 0.215)
    painter.setBrush(QColor("#202020"))
    for side in (-1, 1):
        painter.drawEllipse(QPointF(cx + side * height * 0.062, height * 0.42), height * 0.015, height * 0.018)
    painter.setBrush(QColor.fromHsl(5, 120, 110))
    painter.drawEllipse(QPointF(cx, height * 0.555), height * 0.05, height * 0.018)
    painter.end()
    return image


@lru_cache(maxsize=4)
def slide(width: int = 1920, height: int = 1080) -> QImage:
    """A shared screen: a slide with text and a chart."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("#FBFBFD"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    unit = height / 1080
    painter.fillRect(QRectF(0, 0, width, 92 * unit), QColor("#1F3A68"))
    face_font = QFont()

    def write(x: float, y: float, size: float, text: str, ink: str) -> None:
        face_font.setPixelSize(max(6, round(size * unit)))
        painter.setFont(face_font)
        painter.setPen(QColor(ink))
        painter.drawText(QPointF(x * unit, y * unit), text)

    write(60, 62, 40, "Quarterly review · network latency", "#FFFFFF")
    for index, text in enumerate(
        ("Median round trip fell from 84 ms to 41 ms", "Loss above 2 % in one region only", "Next: relay in São Paulo")
    ):
        write(90, 210 + index * 74, 34, f"•  {text}", "#20242C")
    painter.setPen(Qt.PenStyle.NoPen)
    for index, value in enumerate((0.35, 0.5, 0.42, 0.68, 0.8, 0.6, 0.93)):
        painter.setBrush(QColor("#3D7BE0" if index % 2 else "#7FB0F5"))
        tall = value * 460 * unit
        painter.drawRoundedRect(QRectF((180 + index * 220) * unit, 980 * unit - tall, 140 * unit, tall), 8, 8)
    painter.end()
    return image


class FakeSlot:
    """Implements :class:`app.media.api.FrameSlot` over a fixed picture; :meth:`push` makes the next one ready."""

    def __init__(self, image: QImage | None = None) -> None:
        self.image = image
        self.sequence = 0
        self.wanted: tuple[int, int] | None = None
        self.listeners: list[Callable[[], None]] = []

    def attach(self, listener: Callable[[], None]) -> Callable[[], None]:
        self.listeners.append(listener)

        def detach() -> None:
            if listener in self.listeners:
                self.listeners.remove(listener)

        return detach

    def take(self) -> Picture | None:
        return None if self.image is None else _picture(self.image, self.sequence)

    def wants(self, max_width: int, max_height: int) -> None:
        self.wanted = (max_width, max_height)

    def push(self, image: QImage | None = None) -> None:
        if image is not None:
            self.image = image
        self.sequence += 1
        for listener in list(self.listeners):
            listener()


# ---------------------------------------------------------------- states

_ACTIONS = tuple(cls.__name__ for cls in a.Action.__args__)  # type: ignore[attr-defined]


def capabilities(**changes: Capability) -> Mapping[str, Capability]:
    """Everything allowed, except what *changes* says."""
    return frozen_map({name: Capability(True) for name in _ACTIONS} | changes)


def meeting(
    people: int = 4,
    *,
    call_id: str = CALL,
    share: int = 0,
    phase: CallPhase = CallPhase.JOINED,
    without_video: Iterable[int] = (),
    muted: Iterable[int] = (),
    hands: Iterable[int] = (),
    poor: Mapping[int, int] | None = None,
    frozen: Iterable[int] = (),
    speaker: int | None = None,
    names: Iterable[str] = NAMES,
    moderator: bool = True,
    local: LocalMedia | None = None,
    messages: tuple[Message, ...] = (),
    unread: int = 0,
) -> CallState:
    """A meeting of *people* persons, the local one included (index 0). Remote indices count from 1.

    *share*: how many of the remote persons 1.. share their screen. *hands*: indices in the order the hands went up.
    """
    pool = list(names)
    participants: dict[str, Participant] = {}
    sources: dict[str, Source] = {}
    local = local or LocalMedia(microphone_muted=False, camera_muted=False)
    raised = {index: START + 1000 * order for order, index in enumerate(hands)}
    for index in range(people):
        pid = LOCAL if index == 0 else f"p{index:07d}"
        name = "Robin Meyer" if index == 0 else pool[(index - 1) % len(pool)]
        participants[pid] = Participant(
            id=pid,
            name=name,
            role=Role.MODERATOR if (index == 0 and moderator) or (index == 1 and not moderator) else Role.PARTICIPANT,
            is_local=index == 0,
            raised_hand_at=raised.get(index),
            quality=(poor or {}).get(index, 95),
            connection_active=index not in tuple(frozen),
            audio_level=0.6 if index == speaker else 0.0,
            joined_at=START,
            supports_dtmf=index == 2,
        )
        mic_muted = local.microphone_muted if index == 0 else index in tuple(muted)
        cam_muted = local.camera_muted if index == 0 else index in tuple(without_video)
        sources[f"{pid}-a0"] = Source(f"{pid}-a0", pid, MediaKind.AUDIO, SourceContent.MICROPHONE, muted=mic_muted)
        sources[f"{pid}-v0"] = Source(
            f"{pid}-v0", pid, MediaKind.VIDEO, SourceContent.CAMERA, muted=cam_muted, receiving=not cam_muted,
            frozen=index in tuple(frozen),
        )  # fmt: skip
        if 1 <= index <= share:
            sources[f"{pid}-v1"] = Source(
                f"{pid}-v1", pid, MediaKind.VIDEO, SourceContent.SCREEN, muted=False, receiving=True
            )
    return CallState(
        call_id=call_id,
        vendor="jitsi",
        address="https://meet.example.org/TeamMeeting",
        room="teammeeting",
        phase=phase,
        local_id=LOCAL,
        subject="Team meeting",
        joined_at=START,
        participants=frozen_map(participants),
        sources=frozen_map(sources),
        dominant_speaker=None if speaker is None else (LOCAL if speaker == 0 else f"p{speaker:07d}"),
        local=local,
        capabilities=capabilities(),
        dtmf_supported=True,
        messages=messages,
        unread_messages=unread,
        local_quality=95,
    )


# ---------------------------------------------------------------- controller

DEVICES = (
    Device("mic-1", "Built-in microphone", "audioinput", is_default=True),
    Device("mic-2", "USB headset", "audioinput"),
    Device("spk-1", "Built-in speakers", "audiooutput", is_default=True),
    Device("spk-2", "USB headset", "audiooutput"),
    Device("cam-1", "Integrated camera", "videoinput", is_default=True),
    Device("cam-2", "HD webcam C920", "videoinput"),
)


class FakeController(FakeAccounts):
    """Keeps states, records what was asked, reflects the simplest actions. Everything else is scripted by tests.

    Attributes:
        performed: (call id, action) in order. refusals: action class name to the error it raises.
        settings: read by :meth:`setting`; the declared defaults; unknown keys give ``None``.
    """

    def __init__(self, state: CallState | None = None, *, pictures: bool = True) -> None:
        super().__init__()
        self.states: dict[str, CallState] = {}
        self.performed: list[tuple[str, Action]] = []
        self.refusals: dict[str, ActionRefused] = {}
        self.joined: list[tuple[Address, JoinOptions]] = []
        self.settings: dict[str, Any] = dict(defaults())
        self.pictures = pictures
        self.slots: dict[tuple[str, str], FakeSlot] = {}
        self.previews: dict[SourceContent, FakeSlot] = {}
        self.device_list: tuple[Device, ...] = DEVICES
        self.recent_list: tuple[RecentMeeting, ...] = ()
        self.recognition: Callable[[str], Recognition] | None = None
        self.preview_open: tuple[bool, bool] | None = None
        self.test_sounds = 0
        self.faces: dict[str, bytes] = {}
        """Participant id to the bytes of a picture."""
        self.active_microphone: Device | None = None
        self.closed = False
        self._listeners: list[Callable[[CallState, CallEvent], None]] = []
        self._engine_listeners: list[Callable[[EngineEvent], None]] = []
        self._settings_listeners: list[Callable[[Mapping[str, Any]], None]] = []
        if state is not None:
            self.states[state.call_id] = state

    # -- scripting

    def set(self, state: CallState, event: CallEvent | None = None) -> None:
        """Make *state* the truth and tell the listeners (event: what led to it)."""
        self.states[state.call_id] = state
        for listener in list(self._listeners):
            listener(state, event or PhaseChanged(state.phase))

    def update(self, event: CallEvent | None = None, call_id: str = CALL, **fields: Any) -> CallState:
        """Replace fields of the call's state."""
        state = replace(self.states[call_id], **fields)
        self.set(state, event)
        return state

    def emit(self, event: CallEvent, call_id: str = CALL) -> None:
        """Tell of an event that leaves the state as it is."""
        self.set(self.states[call_id], event)

    def change_participant(self, participant_id: str, call_id: str = CALL, **fields: Any) -> None:
        state = self.states[call_id]
        changed = replace(state.participants[participant_id], **fields)
        people = dict(state.participants) | {participant_id: changed}
        self.update(ParticipantChanged(changed), call_id, participants=frozen_map(people))

    def change_source(self, name: str, call_id: str = CALL, **fields: Any) -> None:
        from app.calls.events import SourceChanged

        state = self.states[call_id]
        changed = replace(state.sources[name], **fields)
        self.update(SourceChanged(changed), call_id, sources=frozen_map(dict(state.sources) | {name: changed}))

    def speak(self, participant_id: str | None, level: float = 0.6, call_id: str = CALL) -> None:
        """Make somebody the dominant speaker."""
        state = self.states[call_id]
        people = {
            pid: replace(person, audio_level=level if pid == participant_id else 0.0)
            for pid, person in state.participants.items()
        }
        self.update(AudioLevelsChanged(), call_id, participants=frozen_map(people))
        self.update(DominantSpeakerChanged(participant_id), call_id, dominant_speaker=participant_id)

    def receive(self, message: Message, call_id: str = CALL) -> None:
        state = self.states[call_id]
        self.update(
            MessageReceived(message),
            call_id,
            messages=(*state.messages, message),
            unread_messages=state.unread_messages + (0 if message.is_local else 1),
        )

    def engine(self, event: EngineEvent) -> None:
        for listener in list(self._engine_listeners):
            listener(event)

    def asked(self, kind: type, call_id: str = CALL) -> list[Any]:
        """Actions of one class that were performed."""
        return [action for where, action in self.performed if where == call_id and isinstance(action, kind)]

    # -- ControllerApi

    def recognise(self, text: str) -> Recognition:
        if self.recognition is not None:
            return self.recognition(text)
        text = text.strip()
        if not text or " " in text:
            return Recognition(None, "This is not a meeting link" if text else "")
        room = text.rstrip("/").rsplit("/", 1)[-1]
        url = text if "://" in text else f"https://meet.example.org/{room}"
        address = Address("jitsi", text, url, "meet.example.org", room.lower(), room)
        return Recognition(address, f"Jitsi meeting {room} on meet.example.org")

    def recent(self) -> tuple[RecentMeeting, ...]:
        return self.recent_list

    def remove_recent(self, url: str) -> None:
        self.recent_list = tuple(item for item in self.recent_list if item.address.url != url)

    async def join(self, address: Address, options: JoinOptions) -> str:
        self.joined.append((address, options))
        call_id = f"call-{len(self.joined)}"
        self.states.setdefault(
            call_id,
            CallState(call_id, "jitsi", address.text, address.room, CallPhase.CONNECTING, subject=address.title),
        )
        self.set(self.states[call_id])
        return call_id

    async def retry(self, call_id: str) -> str:
        self.performed.append((call_id, a.Leave("retry")))
        self.update(PhaseChanged(CallPhase.CONNECTING), call_id, phase=CallPhase.CONNECTING, failure=None)
        return call_id

    async def perform(self, call_id: str, action: Action) -> None:
        self.performed.append((call_id, action))
        refusal = self.refusals.get(type(action).__name__)
        if refusal is not None:
            raise refusal
        self._reflect(call_id, action)

    def _reflect(self, call_id: str, action: Action) -> None:
        state = self.states[call_id]
        if isinstance(action, a.SetMicrophone):
            local = replace(state.local, microphone_muted=action.muted, microphone_muted_by=None)
            self.update(LocalMediaChanged(microphone_muted=action.muted), call_id, local=local)
        elif isinstance(action, a.SetCamera):
            local = replace(state.local, camera_muted=action.muted, camera_muted_by=None)
            self.update(LocalMediaChanged(camera_muted=action.muted), call_id, local=local)
        elif isinstance(action, a.ShareScreen):
            sharing = action.source is not None
            local = replace(state.local, sharing_screen=sharing)
            self.update(LocalMediaChanged(sharing_screen=sharing), call_id, local=local)
        elif isinstance(action, a.SetAudioOnly):
            local = replace(state.local, audio_only=action.enabled)
            self.update(LocalMediaChanged(audio_only=action.enabled), call_id, local=local)
        elif isinstance(action, a.RaiseHand):
            self.change_participant(state.local_id, call_id, raised_hand_at=START if action.raised else None)
        elif isinstance(action, a.SendMessage):
            number = len(state.messages) + 1
            name = state.participants[state.local_id].name
            self.receive(
                Message(f"m{number}", state.local_id, name, action.text, START, True, action.to, action.reply_to),
                call_id,
            )
        elif isinstance(action, a.MarkMessagesRead):
            self.update(MessagesRead(), call_id, unread_messages=0)
        elif isinstance(action, (a.Leave, a.EndForAll)):
            self.update(PhaseChanged(CallPhase.ENDED), call_id, phase=CallPhase.ENDED)
        else:
            self.reflect_phone(call_id, action)

    def state(self, call_id: str) -> CallState:
        return self.states[call_id]

    def calls(self) -> tuple[str, ...]:
        over = (CallPhase.ENDED, CallPhase.FAILED)
        return tuple(call_id for call_id, state in self.states.items() if state.phase not in over)

    def subscribe(self, listener: Callable[[CallState, CallEvent], None]) -> Unsubscribe:
        self._listeners.append(listener)
        return lambda: _forget(self._listeners, listener)

    def slot(self, call_id: str, source_name: str) -> FakeSlot | None:
        key = (call_id, source_name)
        if key not in self.slots:
            image = None
            if self.pictures:
                owner, _, part = source_name.rpartition("-")
                seed = int(owner[1:]) if owner[1:].isdigit() else 0
                image = slide() if part == "v1" else face(seed)
            self.slots[key] = FakeSlot(image)
        return self.slots[key]

    async def avatar(self, call_id: str, participant_id: str) -> bytes | None:
        return self.faces.get(participant_id)

    def preview(self, content: SourceContent) -> FakeSlot:
        if content not in self.previews:
            image = slide() if content == SourceContent.SCREEN else face(99, 1280, 720)
            self.previews[content] = FakeSlot(image if self.pictures else None)
        return self.previews[content]

    def devices(self) -> tuple[Device, ...]:
        return self.device_list

    def subscribe_engine(self, listener: Callable[[EngineEvent], None]) -> Unsubscribe:
        self._engine_listeners.append(listener)
        return lambda: _forget(self._engine_listeners, listener)

    async def open_preview(self, *, camera: bool, microphone: bool) -> None:
        self.preview_open = (camera, microphone)

    async def close_preview(self) -> None:
        self.preview_open = None

    async def find_active_microphone(self) -> Device | None:
        return self.active_microphone

    async def play_test_sound(self) -> None:
        self.test_sounds += 1

    def setting(self, key: str) -> Any:
        return self.settings.get(key)

    def set_setting(self, key: str, value: Any) -> None:
        self.settings[key] = value
        for listener in list(self._settings_listeners):
            listener(frozen_map(self.settings))

    def subscribe_settings(self, listener: Callable[[Mapping[str, Any]], None]) -> Unsubscribe:
        self._settings_listeners.append(listener)
        return lambda: _forget(self._settings_listeners, listener)

    async def close(self) -> None:
        self.closed = True


def _forget(listeners: list[Any], listener: Any) -> None:
    with contextlib.suppress(ValueError):
        listeners.remove(listener)


class SyncTasks:
    """In place of :class:`ui.tasks.Tasks` where no loop runs: what the fake controller does never waits."""

    def __init__(self, on_refused: Callable[[Any], None] | None = None) -> None:
        self.on_refused = on_refused

    def spawn(self, coroutine: Coroutine[Any, Any, Any], *, then: Callable[[Any], None] | None = None) -> None:
        try:
            coroutine.send(None)
        except StopIteration as done:
            if then is not None:
                then(done.value)
        except ActionRefused as refused:
            if self.on_refused is not None:
                self.on_refused(refused.failure)
        else:
            raise AssertionError("the fake controller waited")

    def cancel(self) -> None:
        return
