"""One phone call, without I/O: where it stands, what is wanted of its media, what the window is told.

What the person wants (``wanted``) and what both sides agreed on (``agreed``) are kept apart. The shell takes
:meth:`CallCore.next_exchange`, negotiates, and reports how it went; the window is shown what was agreed. Mute, camera
and hold are independent of each other, so that each is the truth again after any other was changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from app.calls import events as ev
from app.calls.events import CallEvent
from app.calls.model import CallPhase, Failure, Participant
from app.calls.phone import Direction, PhoneChanged, PhoneInfo
from app.vendors.wazo.errors import CAUSES, failure

REMOTE = "remote"
"""Participant id of the other side of a call of two."""
LOCAL = "local"


class Picture(StrEnum):
    """What our video line carries."""

    NONE = "none"
    CAMERA = "camera"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True)
class Wanted:
    held: bool = False
    picture: Picture = Picture.NONE
    video: bool = False
    """Video is part of the call, in either direction."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An offer to make. ``subject`` is the header that tells old clients why."""

    wanted: Wanted
    subject: str = ""
    ice_restart: bool = False


@dataclass(frozen=True, slots=True)
class MuteLine:
    """Stop or resume sending on our line of this kind (``audio`` or ``video``) at once."""

    kind: str
    muted: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """Every wish is agreed on, or given up for the reason of *failure*."""

    failure: Failure | None = None


Output = CallEvent | MuteLine | Settled


class CallCore:
    """Outputs collect in :attr:`out`, in order; the shell empties it after each input."""

    def __init__(
        self,
        info: PhoneInfo,
        *,
        local_name: str,
        now_ms: Callable[[], int],
        microphone_muted: bool = False,
        camera_muted: bool = True,
        room: bool = False,
    ) -> None:
        self.out: list[Output] = []
        self.info = info
        self.phase = CallPhase.IDLE
        self.microphone_muted = microphone_muted
        self.camera_muted = camera_muted
        self.room = room
        self.wanted = Wanted()
        self.agreed = Wanted()
        self.open: Exchange | None = None
        self.failure: Failure | None = None
        self.local_name = local_name
        self._now_ms = now_ms
        self._restart = False
        self._waiting = False
        self._lines: dict[str, bool] = {}

    # ------------------------------------------------------------ phases

    @property
    def is_over(self) -> bool:
        return self.phase in (CallPhase.ENDED, CallPhase.FAILED)

    @property
    def established(self) -> bool:
        return self.phase in (CallPhase.JOINED, CallPhase.RECONNECTING)

    def _set_phase(self, phase: CallPhase, reason: str = "", problem: Failure | None = None) -> None:
        if self.is_over or phase is self.phase:
            return
        self.phase = phase
        self.out.append(ev.PhaseChanged(phase, reason, problem))

    def change(self, **fields: object) -> None:
        """New facts of the phone side."""
        info = replace(self.info, **fields)  # type: ignore[arg-type]
        if info != self.info:
            self.info = info
            self.out.append(PhoneChanged(info))

    def begin(self) -> None:
        """The call starts: dialled, or ringing here."""
        self.out.append(PhoneChanged(self.info))
        self._tell_local()
        incoming = self.info.direction is Direction.INCOMING
        self._set_phase(CallPhase.INCOMING if incoming else CallPhase.CONNECTING)

    def _tell_local(self) -> None:
        self.out.append(
            ev.LocalMediaChanged(
                microphone_muted=self.microphone_muted, camera_muted=self.camera_muted, sharing_screen=False
            )
        )

    def progress(self, status: int, *, early_media: bool) -> None:
        """A provisional answer to our INVITE."""
        if self.phase not in (CallPhase.CONNECTING, CallPhase.RINGING):
            return
        if status in (180, 182, 183):
            self._set_phase(CallPhase.RINGING)
            self.change(ringing=True, early_media=self.info.early_media or early_media)

    def answered(self, *, video: bool, picture: Picture) -> None:
        """The call is established; *video* is what the first exchange agreed on."""
        if self.is_over or self.established:
            return
        self.wanted = self.agreed = Wanted(picture=picture, video=video)
        if picture is Picture.NONE:
            self.camera_muted = True
        self.info = replace(
            self.info, ringing=False, early_media=False, answered_at=self._now_ms(), video=video, cause=""
        )
        self.phase = CallPhase.JOINED
        self.out.append(ev.Joined(LOCAL, self.info.remote_number, self._now_ms()))
        self.out.append(PhoneChanged(self.info))
        self.out.append(ev.ParticipantJoined(Participant(LOCAL, self.local_name, is_local=True)))
        if not self.room:
            name = self.info.remote_name or self.info.remote_number
            self.out.append(ev.ParticipantJoined(Participant(REMOTE, name)))
        self._tell_local()
        self._sync()

    def ended(self, code: str, problem: Failure | None = None, *, failed: bool = False) -> None:
        """Final. *code* is a key of the error table or ``normal``."""
        if self.is_over:
            return
        self.failure = problem
        cause = "normal" if code == "normal" else CAUSES.get(code, "failed")
        self.change(ringing=False, early_media=False, held=False, cause=cause, answered_elsewhere=code == "elsewhere")
        self._settle(failure("not_in_call"))
        reason = problem.message if problem is not None else ""
        self._set_phase(CallPhase.FAILED if failed else CallPhase.ENDED, reason, problem if failed else None)

    def leaving(self) -> None:
        self._set_phase(CallPhase.LEAVING)

    def named(self, name: str, number: str) -> None:
        """The server knows better who is at the other end."""
        if (name, number) == (self.info.remote_name, self.info.remote_number) or not (name or number):
            return
        self.change(remote_name=name or self.info.remote_name, remote_number=number or self.info.remote_number)
        if self.established and not self.room:
            shown = self.info.remote_name or self.info.remote_number
            self.out.append(ev.ParticipantChanged(Participant(REMOTE, shown)))

    # ------------------------------------------------------------ connection

    def disconnected(self) -> None:
        """The socket is gone; media goes on."""
        if self.phase is CallPhase.JOINED:
            self._set_phase(CallPhase.RECONNECTING)

    def reconnected(self) -> None:
        """There is a registered socket again: tell the far side where we are, with new ICE credentials."""
        if self.established:
            self._restart = True

    # ------------------------------------------------------------ the person's wishes

    def set_microphone(self, muted: bool) -> None:
        if muted != self.microphone_muted:
            self.microphone_muted = muted
            self.out.append(ev.LocalMediaChanged(microphone_muted=muted))
        self._sync()

    def set_camera(self, muted: bool) -> None:
        """The camera within a call that carries it; see :meth:`set_picture` for the first time."""
        if muted != self.camera_muted:
            self.camera_muted = muted
            self.out.append(ev.LocalMediaChanged(camera_muted=muted))
        self._sync()

    def set_hold(self, held: bool) -> None:
        if self.established:
            self.wanted = replace(self.wanted, held=held)
            self._sync()

    def set_picture(self, picture: Picture, *, video: bool = True) -> None:
        """Carry camera or screen, or nothing; *video* ``False`` ends video in both directions."""
        if self.established:
            self.wanted = replace(self.wanted, picture=picture, video=video)
            self._sync()

    @property
    def settled(self) -> bool:
        return self.open is None and not self._waiting and self.wanted == self.agreed and not self._restart

    # ------------------------------------------------------------ exchanges

    def next_exchange(self) -> Exchange | None:
        """The offer to make now, or ``None``. It counts as open until one of the two methods below is called."""
        if not self.established or self.open is not None or self._waiting:
            return None
        if self.wanted == self.agreed and not self._restart:
            return None
        subject = ""
        if self.wanted.picture is not self.agreed.picture and not self.wanted.held:
            subject = {Picture.SCREEN: "screenshare", Picture.CAMERA: "upgrade-video"}.get(self.wanted.picture, "")
        self.open = Exchange(self.wanted, subject, self._restart)
        return self.open

    def exchange_done(self, *, video: bool) -> None:
        """The far side accepted. *video*: whether a video line lives now."""
        done, self.open = self.open, None
        if done is None:
            return
        if done.ice_restart:
            self._restart = False
        self.agreed = done.wanted
        if done.wanted.video and not video:
            # They refused the video only.
            refused = replace(done.wanted, picture=Picture.NONE, video=False)
            self.wanted = refused if self.wanted == done.wanted else self.wanted
            self.agreed = refused
        if self.phase is CallPhase.RECONNECTING and not self._restart:
            self._set_phase(CallPhase.JOINED)
        self._show_agreed()

    def exchange_failed(self, problem: Failure, *, retry: bool) -> None:
        """Refused: everything is as before. *retry*: both offered at once, and ours is made again after a wait."""
        failed, self.open = self.open, None
        if failed is None:
            return
        if retry:
            self._waiting = True
            return
        if failed.ice_restart:
            # Media may well run on; a second refusal would not tell anything new.
            self._restart = False
            if self.phase is CallPhase.RECONNECTING:
                self._set_phase(CallPhase.JOINED)
        self.wanted = self.agreed
        self._show_agreed(problem)

    def retry(self) -> None:
        self._waiting = False
        self._check_settled()

    def remote_changed(self, *, held_by_remote: bool, video: bool) -> None:
        """What holds after any exchange, whoever offered."""
        if not self.established:
            return
        self.change(held_by_remote=held_by_remote, video=video)
        if self.agreed.video != video:
            was = self.agreed
            picture = was.picture if video else Picture.NONE
            self.agreed = replace(was, video=video, picture=picture)
            if self.wanted == was:
                self.wanted = self.agreed
            self._show_agreed()

    def _show_agreed(self, problem: Failure | None = None) -> None:
        agreed = self.agreed
        self.change(held=agreed.held, video=agreed.video)
        if agreed.picture is Picture.NONE and not self.camera_muted:
            self.camera_muted = True
            self.out.append(ev.LocalMediaChanged(camera_muted=True))
        self.out.append(ev.LocalMediaChanged(sharing_screen=agreed.picture is Picture.SCREEN))
        self._sync()
        self._check_settled(problem)

    def _check_settled(self, problem: Failure | None = None) -> None:
        if self.settled:
            self._settle(problem)

    def _settle(self, problem: Failure | None) -> None:
        self.out.append(Settled(problem))

    # ------------------------------------------------------------ what really leaves

    def line_muted(self, kind: str) -> bool:
        """Held means silent from the wish to hold until the far side agreed to go on."""
        held = self.wanted.held or self.agreed.held
        if kind == "audio":
            return self.microphone_muted or held
        showing = self.agreed.picture
        return held or showing is Picture.NONE or (showing is Picture.CAMERA and self.camera_muted)

    def _sync(self) -> None:
        for kind in ("audio", "video"):
            muted = self.line_muted(kind)
            if self._lines.get(kind) is not muted:
                self._lines[kind] = muted
                self.out.append(MuteLine(kind, muted))
