"""Drives the session core without a socket: a clock by hand, ids by count, effects in a list."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from app.calls.events import CallEvent
from app.media.api import Fingerprint, LocalSource, TransportDescription
from app.protocols.xmpp.xml import parse, serialise
from app.vendors.jitsi import events as fx
from app.vendors.jitsi.address import split_meeting_url
from app.vendors.jitsi.config import make_config
from app.vendors.jitsi.core import SessionCore
from app.vendors.jitsi.state import CoreOptions

ROOM = "team42@conference.meet.example.com"
ME = "a1b2c3d4"
JID = "a1b2c3d4-0000@meet.example.com/Xy12"
FOCUS = "focus@auth.meet.example.com/focus"
FINGERPRINT = ":".join(["AB"] * 32)

OFFER = f"""<iq xmlns='jabber:client' type='set' id='j1' from='{ROOM}/focus' to='{JID}'>
<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='SID' initiator='{FOCUS}'>
 <group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'>
 <content name='audio'/><content name='video'/><content name='data'/></group>
 <content creator='initiator' name='audio' senders='both'>
  <description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>
   <payload-type id='111' name='opus' clockrate='48000' channels='2'/>
   <payload-type id='126' name='telephone-event' clockrate='8000'/>
   <rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='1' uri='urn:ietf:params:rtp-hdrext:ssrc-audio-level'/>
   <rtcp-mux/>
   <source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='3735928559' name='jvb-a0'>
    <ssrc-info xmlns='http://jitsi.org/jitmeet' owner='jvb'/></source></description>
  TRANSPORT</content>
 <content creator='initiator' name='video' senders='both'>
  <description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'>
   <payload-type id='100' name='VP8' clockrate='90000'/>
   <payload-type id='96' name='rtx' clockrate='90000'><parameter name='apt' value='100'/></payload-type>
   <rtcp-mux/></description>TRANSPORT</content>
 <content creator='initiator' name='data' senders='both'>
  <description xmlns='urn:xmpp:jingle:apps:rtp:1' media='application'/>DATA</content>
 <bridge-session xmlns='http://jitsi.org/protocol/focus' id='bs1' region='eu-west'/>EXTRA
</jingle></iq>"""
TRANSPORT = f"""<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='8r4' pwd='2k'><rtcp-mux/>
 <fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='actpass'>{FINGERPRINT}</fingerprint>
 <candidate component='1' foundation='1' generation='0' id='c1' ip='127.0.0.1' network='0' port='10000'
  priority='2130706431' protocol='udp' type='host'/>WS SCTP</transport>"""
SCTP = (
    "<sctpmap xmlns='urn:xmpp:jingle:transports:dtls-sctp:1' number='5000' protocol='webrtc-datachannel' streams='1'/>"
)
WS = "<web-socket xmlns='http://jitsi.org/protocol/colibri' url='wss://meet.example.com/colibri-ws/1/2/3?pwd=x'/>"


def offer(sid: str = "sid1", extra: str = "", *, sctp: bool = True, ws: bool = True, sender: str = "focus") -> str:
    transport = TRANSPORT.replace("WS", WS if ws else "").replace("SCTP", "")
    data = TRANSPORT.replace("WS", "").replace("SCTP", SCTP if sctp else "")
    text = OFFER.replace("TRANSPORT", transport).replace("DATA", data).replace("EXTRA", extra).replace("SID", sid)
    return text.replace(f"from='{ROOM}/focus'", f"from='{ROOM}/{sender}'")


def local_source(name: str, ssrc: int, content: Any, kind: Any) -> LocalSource:
    rtx = None if kind.value == "audio" else ssrc + 1
    return LocalSource(name, kind, content, ssrc, rtx, "cname", f"{name}-ms {name}-track")


class Harness:
    """A core with time and wire at hand."""

    def __init__(self, config: dict[str, Any] | None = None, **options: Any) -> None:
        found = split_meeting_url("https://meet.example.com/team42")
        assert found is not None
        made = make_config(config or {"hosts": {"domain": "meet.example.com"}}, found[0])
        base = CoreOptions("call", made, "team42", "Team42", "Ada", machine_uid="0" * 32)
        self.now = 1_700_000_000_000
        counter = itertools.count(1)
        self.core = SessionCore(replace(base, **options), lambda: self.now, lambda: f"id{next(counter)}")
        self.effects: list[fx.Effect] = []
        self.mark = 0

    # ---- input

    def pump(self) -> None:
        self.effects += self.core.take_effects()

    def stanza(self, text: str) -> None:
        self.core.stanza(parse(text))
        self.pump()

    def bridge(self, text: str) -> None:
        self.core.bridge_text(text)
        self.pump()

    def advance(self, ms: int) -> None:
        self.now += ms
        self.core.tick()
        self.pump()

    def perform(self, action: Any) -> int | None:
        try:
            return self.core.perform(action)
        finally:
            self.pump()

    def answer(self, needle: str, child: str = "", *, error: str = "") -> None:
        """Answers the newest IQ request of ours that contains *needle*."""
        stanza = next(
            s for s in reversed(self.sent_elements()) if s.get("type") in ("get", "set") and needle in serialise(s)
        )
        type_ = "error" if error else "result"
        inner = f"<error xmlns='jabber:client' {error}</error>" if error else child
        sender = f"from='{stanza.get('to')}'" if stanza.get("to") else ""
        self.stanza(f"<iq xmlns='jabber:client' type='{type_}' id='{stanza.get('id')}' {sender}>{inner}</iq>")

    # ---- output since the last call of new()

    def new(self) -> list[fx.Effect]:
        fresh, self.mark = self.effects[self.mark :], len(self.effects)
        return fresh

    def of(self, kind: type) -> list[Any]:
        return [e for e in self.effects if isinstance(e, kind)]

    def events(self, kind: type | None = None) -> list[CallEvent]:
        return [e.event for e in self.of(fx.Emit) if kind is None or isinstance(e.event, kind)]

    def last(self, kind: type) -> Any:
        return self.events(kind)[-1]

    def sent_elements(self) -> list[Any]:
        return [e.stanza for e in self.of(fx.Send)]

    def sent(self) -> list[str]:
        return [serialise(s) for s in self.sent_elements()]

    # ---- shortcuts

    def connect(self) -> Harness:
        self.core.connected(JID)
        self.pump()
        return self

    def request_ok(self, extra: str = "", properties: str = "") -> Harness:
        self.answer(
            "protocol/focus",
            f"<conference xmlns='http://jitsi.org/protocol/focus' ready='true' focusjid='focus@auth.meet.example.com' {extra}>"  # noqa: E501
            f"{properties}</conference>",
        )
        return self

    def member(
        self, nick: str, children: str = "", *, role: str = "participant", codes: str = "", jid: str = ""
    ) -> None:
        jid = jid or f"{nick}-node@meet.example.com/r"
        self.stanza(
            f"<presence xmlns='jabber:client' from='{ROOM}/{nick}' to='{JID}'>"
            f"<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='{role}' jid='{jid}'/>{codes}</x>"  # noqa: E501
            f"{children}</presence>"
        )

    def own(self, children: str = "", *, role: str = "participant") -> None:
        self.member(self.core.ctx.nick, children, role=role, codes="<status code='110'/>", jid=JID)

    def focus(self, children: str = "", jid: str = FOCUS) -> None:
        self.member("focus", children, role="moderator", jid=jid)

    def gone(self, nick: str, inner: str = "", status: str = "") -> None:
        text = f"<status>{status}</status>" if status else ""
        self.stanza(
            f"<presence xmlns='jabber:client' type='unavailable' from='{ROOM}/{nick}'>"
            f"<x xmlns='http://jabber.org/protocol/muc#user'>{inner}</x>{text}</presence>"
        )

    def join(self, *, role: str = "participant") -> Harness:
        self.connect().request_ok()
        self.focus()
        self.own(role=role)
        return self

    def open_media(self, extra: str = "", sid: str = "sid1", **how: Any) -> Harness:
        """Receives an offer and lets the engine and the focus agree."""
        self.stanza(offer(sid, extra, **how))
        opened = self.of(fx.OpenMedia)[-1]
        local = []
        for index, (name, content) in enumerate(opened.senders):
            kind = next(
                m.kind for m in opened.config.media if (m.kind.value == "audio") == (content.value == "microphone")
            )
            local.append(local_source(name, 1000 + 10 * index, content, kind))
        description = TransportDescription("uu", "pp", (Fingerprint("sha-256", FINGERPRINT),), "active")
        self.core.media.media_opened(opened.generation, description, tuple(local))
        self.pump()
        self.answer("session-accept")
        return self

    def open_bridge(self) -> Harness:
        self.core.bridge.on_open(self.core.media.generation)
        self.pump()
        return self
