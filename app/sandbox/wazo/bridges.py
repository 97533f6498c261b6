"""What legs are connected to: each other, a robot, or (in :mod:`rooms`) a conference."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

from app.media.tones import DTMF_COLUMNS, DTMF_KEYS, DTMF_ROWS
from app.sandbox.wazo.leg_media import Line
from app.sandbox.wazo.sounds import to_wav
from app.sandbox.wazo.streams import BLOCK, RATE

if TYPE_CHECKING:
    from app.media.api import Codec
    from app.media.rtp import ReceivedPacket
    from app.sandbox.wazo.call_server import CallServer
    from app.sandbox.wazo.legs import Leg

_ids = itertools.count(1)
MOH_HZ = 330.0
"""The one tone of music on hold."""
RINGBACK_HZ = 425.0
TONE_HZ = 440.0
READ_BACK_MS = 200
MAX_RECORDING_BLOCKS = 50 * 600


class Tone:
    """An endless sine in blocks of 20 ms; *on_ms*/*off_ms* make it a cadence."""

    def __init__(self, hz: float, level: float = 0.12, on_ms: int = 0, off_ms: int = 0) -> None:
        self.hz, self._level, self._on, self._off = hz, level, on_ms, off_ms
        self._position = 0

    def block(self) -> Any:
        import numpy as np

        from app.media.tones import sine

        start, self._position = self._position, self._position + BLOCK
        if self._off and (start * 1000 // RATE) % (self._on + self._off) >= self._on:
            return np.zeros(BLOCK, np.int16)
        return sine(self.hz, BLOCK, self._level, start).astype(np.int16)


class Bridge:
    """Members and what goes between them."""

    def __init__(self, server: CallServer) -> None:
        self.server = server
        self.id = f"bridge-{next(_ids)}"
        self.members: list[Leg] = []
        self.robot_id = ""
        """Call id that stands for the robot in ``talking_to``."""

    def others(self, leg: Leg) -> list[Leg]:
        return [member for member in self.members if member is not leg]

    def join(self, leg: Leg) -> None:
        if leg.bridge is not None and leg.bridge is not self:
            leg.bridge.leave(leg)
        if leg not in self.members:
            self.members.append(leg)
        leg.bridge = self
        self.server.bridges.add(self)

    def leave(self, leg: Leg) -> None:
        """Take a leg out; what happens to the rest is the bridge's business."""
        if leg in self.members:
            self.members.remove(leg)
        if leg.bridge is self:
            leg.bridge = None
        if not self.members:
            self.server.bridges.discard(self)

    def hung_up(self, leg: Leg) -> None:
        """A member's call has ended."""
        self.leave(leg)

    def audio(self, leg: Leg, packet: ReceivedPacket, codec: Codec, samples: Any) -> None:
        """Sound of a member; *samples* are ``None`` for telephone events and unknown codecs."""

    def video(self, leg: Leg, packet: ReceivedPacket, codec: Codec) -> None: ...

    def keyframe(self, leg: Leg, line: Line) -> None:
        """A member asks for a keyframe of what *line* carries."""

    def talking(self, leg: Leg, talking: bool) -> None: ...

    def digit(self, leg: Leg, digit: str, how: str) -> None: ...

    def message(self, leg: Leg, content_type: str, body: str) -> None:
        """An in-dialog MESSAGE of a member: relayed to all others, not back."""
        for other in self.others(leg):
            other.message(body, content_type)

    def held(self, leg: Leg) -> None:
        """A member's client put the call on hold or took it back (see ``leg.held``)."""

    def renegotiated(self, leg: Leg) -> None:
        """A member's client changed its streams."""

    def offer_answered(self, leg: Leg) -> None:
        """A member's client answered an offer of ours."""

    def takes_video(self, leg: Leg) -> bool:
        """Whether a member may add its picture."""
        return True

    def tick(self, now: float) -> None:
        """Every 20 ms."""


class PairBridge(Bridge):
    """Two parties. Packets are relayed as they are when the codecs agree, else the sound is coded anew."""

    def __init__(self, server: CallServer, first: Leg, second: Leg) -> None:
        super().__init__(server)
        self._music: dict[str, Tone] = {}
        for leg in (first, second):
            self.join(leg)
        for leg, other in ((first, second), (second, first)):
            leg.peer_name, leg.peer_number = other.name, other.number
            for line in leg.media.lines:
                if line.out is not None:
                    line.out.stop()
            leg.media.request_keyframe()

    def hung_up(self, leg: Leg) -> None:
        others = self.others(leg)
        self.leave(leg)
        for other in others:
            if not other.transferred:
                other.hang_up()

    def audio(self, leg: Leg, packet: ReceivedPacket, codec: Codec, samples: Any) -> None:
        if leg.held:
            return
        for other in self.others(leg):
            if other.id in self._music:
                continue
            if not other.media.relay(other.media.audio, packet, codec) and samples is not None:
                other.media.play(samples)

    def video(self, leg: Leg, packet: ReceivedPacket, codec: Codec) -> None:
        if not leg.held:
            for other in self.others(leg):
                other.media.relay(other.media.video, packet, codec)

    def keyframe(self, leg: Leg, line: Line) -> None:
        for other in self.others(leg):
            other.media.request_keyframe()

    def held(self, leg: Leg) -> None:
        for other in self.others(leg):
            if leg.held:
                self._music[other.id] = Tone(MOH_HZ)
            else:
                self._music.pop(other.id, None)
                leg.media.request_keyframe()

    def renegotiated(self, leg: Leg) -> None:
        # Video that one side adds is offered to the other (wazo.md 4.13).
        for other in self.others(leg):
            if leg.media.video is not None and other.media.add_video(leg.media):
                other.renegotiate()

    def tick(self, now: float) -> None:
        for leg in list(self.members):
            tone = self._music.get(leg.id)
            if tone is not None:
                leg.media.play(tone.block())


class RobotBridge(Bridge):
    """One caller and a robot. Subclasses say what the robot does."""

    name = "robot"

    def __init__(self, server: CallServer, leg: Leg) -> None:
        super().__init__(server)
        self.robot_id = server.new_id()
        self.started = time.monotonic()
        self.join(leg)

    @property
    def leg(self) -> Leg | None:
        return self.members[0] if self.members else None

    def message(self, leg: Leg, content_type: str, body: str) -> None:
        """Robots keep what they are told; see ``leg.messages``."""


class MusicRobot(RobotBridge):
    """Music on hold, or ringing, for somebody who waits."""

    name = "music"

    def __init__(self, server: CallServer, leg: Leg, tone: Tone | None = None) -> None:
        super().__init__(server, leg)
        self._tone = tone or Tone(MOH_HZ)

    def tick(self, now: float) -> None:
        if self.leg is not None:
            self.leg.media.play(self._tone.block())


class ToneRobot(MusicRobot):
    """A steady tone of 440 Hz."""

    name = "tone"

    def __init__(self, server: CallServer, leg: Leg, hz: float = TONE_HZ) -> None:
        super().__init__(server, leg, Tone(hz))


class EchoRobot(RobotBridge):
    """Sends back what it gets, pictures too, and messages."""

    name = "echo"

    def audio(self, leg: Leg, packet: ReceivedPacket, codec: Codec, samples: Any) -> None:
        leg.media.relay(leg.media.audio, packet, codec)

    def video(self, leg: Leg, packet: ReceivedPacket, codec: Codec) -> None:
        leg.media.relay(leg.media.video, packet, codec)

    def keyframe(self, leg: Leg, line: Line) -> None:
        leg.media.request_keyframe()

    def message(self, leg: Leg, content_type: str, body: str) -> None:
        leg.message(body, content_type)


class IvrRobot(RobotBridge):
    """Reads back each digit as its DTMF tone (both frequencies, in the sound), however it came. ``#`` after digits
    repeats them all; ``*`` ends the call a second later."""

    name = "ivr"

    def __init__(self, server: CallServer, leg: Leg) -> None:
        super().__init__(server, leg)
        self.digits = ""
        self._pending: list[Any] = []

    def digit(self, leg: Leg, digit: str, how: str) -> None:
        if digit == "#" and self.digits:
            for known in self.digits[-32:]:
                self._say(known)
        self.digits = (self.digits + digit)[-64:]
        self._say(digit)
        if digit == "*":
            self.server.dialing.later(1.0, leg.hang_up)

    def _say(self, digit: str) -> None:
        from app.media.tones import dtmf

        samples = dtmf(digit, READ_BACK_MS)
        self._pending += [samples[at : at + BLOCK] for at in range(0, len(samples) - BLOCK + 1, BLOCK)]
        self._pending += [None] * 5
        del self._pending[:-2000]

    def tick(self, now: float) -> None:
        import numpy as np

        if self.leg is not None:
            block = self._pending.pop(0) if self._pending else None
            self.leg.media.play(np.zeros(BLOCK, np.int16) if block is None else block)


class SwitchboardRobot(MusicRobot):
    """Music for somebody who waits in the queue of the switchboard."""

    name = "switchboard"

    def __init__(self, server: CallServer, leg: Leg) -> None:
        super().__init__(server, leg)
        self._item = {"id": leg.id, "caller_id_name": leg.name, "caller_id_number": leg.number}
        server.state.queue_switchboard(self._item)

    def leave(self, leg: Leg) -> None:
        super().leave(leg)
        self.server.state.leave_switchboard(self._item)


class VoicemailRobot(RobotBridge):
    """Beeps, records, and leaves a message in a mailbox when the caller hangs up."""

    name = "voicemail"
    BEEP_HZ = 1000.0

    def __init__(self, server: CallServer, leg: Leg, mailbox: Any) -> None:
        super().__init__(server, leg)
        self.mailbox = mailbox
        self._beep = Tone(self.BEEP_HZ)
        self._blocks: list[Any] = []

    def audio(self, leg: Leg, packet: ReceivedPacket, codec: Codec, samples: Any) -> None:
        if samples is not None and len(self._blocks) < MAX_RECORDING_BLOCKS:
            self._blocks.append(samples)

    def tick(self, now: float) -> None:
        import numpy as np

        if self.leg is not None:
            beeping = now - self.started < 0.4
            self.leg.media.play(self._beep.block() if beeping else np.zeros(BLOCK, np.int16))

    def hung_up(self, leg: Leg) -> None:
        super().hung_up(leg)
        self.server.leave_voicemail(self.mailbox, leg, recording_wav(self._blocks))


def recording_wav(blocks: list[Any]) -> bytes:
    """Decoded packets (48 kHz) as a WAV file of 8 kHz."""
    import numpy as np

    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    return to_wav(samples[: len(samples) // 6 * 6].reshape(-1, 6).mean(axis=1).astype("<i2").tobytes())


def dtmf_frequencies(digit: str) -> tuple[int, int]:
    """Row and column frequency of a key."""
    at = DTMF_KEYS.index(digit)
    return DTMF_ROWS[at // 4], DTMF_COLUMNS[at % 4]
