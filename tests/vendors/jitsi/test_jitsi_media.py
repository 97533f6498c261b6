from __future__ import annotations

import pytest
from jitsi_harness import FINGERPRINT, ROOM, Harness, local_source, offer

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.model import CallPhase, MediaKind, SourceContent
from app.media.api import Fingerprint, TransportDescription
from app.protocols.jingle import parse_jingle
from app.protocols.xmpp.xml import parse
from app.vendors.jitsi import events as fx

SOURCES = (
    '<json-message xmlns="http://jitsi.org/jitmeet">{"sources":{"0f9e8d7c":[[{"s":31,"n":"0f9e8d7c-v0"},'
    '{"s":32,"n":"0f9e8d7c-v0"}],[["f",31,32]],[{"s":33,"n":"0f9e8d7c-a0"}]]}}</json-message>'
)


def jingle(action: str, inner: str = "", sid: str = "sid1", attributes: str = "") -> str:
    return (
        f"<iq xmlns='jabber:client' type='set' id='q' from='{ROOM}/focus'><jingle xmlns='urn:xmpp:jingle:1' "
        f"action='{action}' sid='{sid}' {attributes}>{inner}</jingle></iq>"
    )


def last_reply(h: Harness) -> str:
    return next(s for s in reversed(h.sent()) if 'type="result"' in s or 'type="error"' in s)


def test_offer_is_acknowledged_opened_and_accepted() -> None:
    h = Harness().join()
    h.stanza(offer())
    assert 'type="result" id="j1"' in h.sent()[-1]
    opened = h.of(fx.OpenMedia)[-1]
    assert [s for s in opened.senders] == [
        ("a1b2c3d4-a0", SourceContent.MICROPHONE),
        ("a1b2c3d4-v0", SourceContent.CAMERA),
    ]
    assert opened.config.setup == "active" and not opened.config.controlling and opened.config.data_channel
    assert opened.remote.ufrag == "8r4" and opened.remote.candidates[0].port == 10000
    h2 = Harness().join().open_media()
    text = next(s for s in h2.sent() if "session-accept" in s)
    accept = parse_jingle(parse(text))
    assert accept is not None and accept.bundle == ("audio", "video", "data")
    assert [(s.ssrc, s.name) for s in accept.all_sources.audio] == [(1000, "a1b2c3d4-a0")]
    assert [s.ssrc for s in accept.all_sources.video] == [1010, 1011]
    assert accept.all_sources.video_groups[0].ssrcs == (1010, 1011)
    assert accept.transport is not None and accept.transport.sctp_port == 5000 and accept.transport.setup == "active"
    video = accept.content("video")
    assert video is not None and video.initial_last_n == -1
    assert h2.core.media.accepted
    assert h2.of(fx.OpenBridge)[-1].url is None


def test_websocket_when_there_is_no_data_channel() -> None:
    h = Harness().join().open_media(sctp=False)
    assert h.of(fx.OpenBridge)[-1].url.startswith("wss://meet.example.com/colibri-ws")
    assert "pwd" not in repr(h.of(fx.OpenBridge)[-1])
    neither = Harness().join().open_media(sctp=False, ws=False)
    assert not neither.of(fx.OpenBridge)


def test_only_the_known_focus_may_start_media() -> None:
    h = Harness().connect().request_ok()
    h.focus(jid="mallory@meet.example.com/x")
    h.own()
    h.stanza(offer())
    assert "security-error" in h.sent()[-1] and not h.of(fx.OpenMedia)


def test_peer_offer_is_declined() -> None:
    h = Harness().join()
    h.member("0f9e8d7c")
    h.stanza(offer(sender="0f9e8d7c"))
    assert 'type="result"' in h.sent()[-2]
    assert "session-terminate" in h.sent()[-1] and "decline" in h.sent()[-1]
    h.stanza(offer(sender="ffffffff"))
    assert "item-not-found" in h.sent()[-1]


def test_double_and_unknown_sessions() -> None:
    h = Harness().join().open_media()
    h.stanza(offer())
    assert "service-unavailable" in last_reply(h)
    h.stanza(jingle("source-add", sid="other"))
    assert "unknown-session" in last_reply(h)
    h.stanza(jingle("transport-replace"))
    assert "feature-not-implemented" in last_reply(h)
    h.stanza("<iq xmlns='jabber:client' type='set' id='z' from='x@y'><jingle xmlns='urn:xmpp:jingle:1'/></iq>")
    assert "bad-request" in last_reply(h)


def test_signalled_sources_are_mapped_and_withdrawn() -> None:
    h = Harness(ssrc_rewriting=False).join()
    h.member("0f9e8d7c")
    h.open_media(extra=SOURCES)
    mapped = {m.source.name: m.source for m in h.of(fx.MapSource)}
    assert (mapped["0f9e8d7c-v0"].ssrc, mapped["0f9e8d7c-v0"].rtx_ssrc) == (31, 32)
    assert mapped["0f9e8d7c-a0"].kind is MediaKind.AUDIO
    assert {e.source.name for e in h.events(ev.SourceAdded)} == {"0f9e8d7c-v0", "0f9e8d7c-a0"}
    h.stanza(
        jingle(
            "source-add",
            "<content name='video'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'>"
            "<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='41' name='0f9e8d7c-v1' videoType='desktop'>"
            "<ssrc-info xmlns='http://jitsi.org/jitmeet' owner='0f9e8d7c'/></source></description></content>",
        )
    )
    assert h.last(ev.SourceAdded).source.content is SourceContent.SCREEN
    h.stanza(jingle("source-remove", SOURCES))
    assert {u.name for u in h.of(fx.UnmapSource)} == {"0f9e8d7c-v0", "0f9e8d7c-a0"}
    h.gone("0f9e8d7c")
    assert h.of(fx.UnmapSource)[-1].name == "0f9e8d7c-v1"


def test_rewritten_slots_move_from_one_source_to_another() -> None:
    h = Harness().join()
    for nick in ("0f9e8d7c", "11111111"):
        h.member(nick, f'<SourceInfo>{{"{nick}-v0":{{"muted":false}}}}</SourceInfo>')
    h.open_media().open_bridge()
    entry = '{"source":"%s-v0","owner":"%s","ssrc":77,"rtx":78,"videoType":"CAMERA"}'
    for nick in ("0f9e8d7c", "11111111"):
        h.bridge('{"colibriClass":"VideoSourcesMap","mappedSources":[' + entry % (nick, nick) + "]}")
    assert [m.source.name for m in h.of(fx.MapSource)] == ["0f9e8d7c-v0", "11111111-v0"]
    assert set(h.core.media.sources) == {"11111111-v0"}
    h.bridge('{"colibriClass":"VideoSourcesMap","mappedSources":[{"source":"jvb-v0","owner":"jvb","ssrc":9}]}')
    assert len(h.of(fx.MapSource)) == 2


def test_termination_keeps_the_room_and_waits_for_the_next_offer() -> None:
    h = Harness().join().open_media()
    h.stanza(jingle("session-terminate", "<reason><success/><text>moving</text></reason>"))
    assert h.of(fx.CloseMedia) and not h.of(fx.Finish)
    h.open_media(sid="sid2")
    assert h.of(fx.OpenMedia)[-1].generation == 2 and h.core.media.accepted


def test_refused_accept_is_said_and_tried_again() -> None:
    h = Harness().join()
    h.stanza(offer())
    description = TransportDescription("u", "p", (Fingerprint("sha-256", FINGERPRINT),), "active")
    local = (local_source("a1b2c3d4-a0", 5, SourceContent.MICROPHONE, MediaKind.AUDIO),)
    h.core.media.media_opened(1, description, local)
    h.pump()
    h.answer("session-accept", error="type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>")
    assert h.last(ev.Notice).code == "jingle_fatal" and h.of(fx.CloseMedia)


@pytest.mark.parametrize("in_place", [False, True])
def test_failed_ice_is_restarted(in_place: bool) -> None:
    config = {"hosts": {"domain": "meet.example.com"}, "enableIceRestart": in_place}
    h = Harness(config).join().open_media()
    h.core.media.on_transport_state(1, "connected")
    h.core.media.on_transport_state(1, "failed")
    h.pump()
    assert h.last(ev.PhaseChanged).phase is CallPhase.RECONNECTING
    h.advance(2000)
    if in_place:
        assert 'ice-restart="true"' in h.sent()[-1]
        h.stanza(
            jingle(
                "transport-info",
                "<content name='audio'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='n' pwd='m' "
                f"ice-generation='1'><fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0'>{FINGERPRINT}</fingerprint>"
                "</transport></content>",
            )
        )
        restart = h.of(fx.RestartIce)[-1]
        assert (restart.remote.ufrag, restart.ice_generation) == ("n", "1")
        again = TransportDescription("nu", "np", (Fingerprint("sha-256", FINGERPRINT),), "active")
        h.core.media.ice_restarted(1, "1", again)
        h.pump()
        assert 'ice-generation="1"' in h.sent()[-1] and 'ufrag="nu"' in h.sent()[-1]
    else:
        assert "connectivity-error" in h.sent()[-1] and 'restart="true"' in h.sent()[-1] and 'id="bs1"' in h.sent()[-1]
        h.open_media(sid="sid2")
    generation = h.core.media.generation
    h.core.media.on_transport_state(generation, "connected")
    h.pump()
    assert h.last(ev.PhaseChanged).phase is CallPhase.JOINED


def test_a_bridge_that_never_answers_is_said() -> None:
    h = Harness().join().open_media()
    h.core.media.on_transport_state(1, "failed")
    h.pump()
    for _ in range(4):
        h.advance(60_000)
    assert any(e.code == "ice_failed" for e in h.events(ev.Notice))  # type: ignore[attr-defined]


def test_limits_from_both_sides_apply_to_the_camera() -> None:
    h = Harness().join().open_media().open_bridge()
    h.bridge('{"colibriClass":"SenderSourceConstraints","sourceName":"a1b2c3d4-v0","maxHeight":720}')
    assert h.of(fx.LimitSender)[-1] == fx.LimitSender("a1b2c3d4-v0", 720)
    h.perform(ac.SetSendLimit(360))
    assert h.of(fx.LimitSender)[-1] == fx.LimitSender("a1b2c3d4-v0", 360)
    h.bridge('{"colibriClass":"SenderSourceConstraints","sourceName":"a1b2c3d4-v0","maxHeight":0}')
    assert h.of(fx.LimitSender)[-1] == fx.LimitSender("a1b2c3d4-v0", 0)
    h.perform(ac.SetSendLimit(None))
    h.bridge('{"colibriClass":"SenderSourceConstraints","sourceName":"a1b2c3d4-v0","maxHeight":-1}')
    assert h.of(fx.LimitSender)[-1] == fx.LimitSender("a1b2c3d4-v0", None)


def test_mute_comes_only_from_the_focus_and_only_mutes() -> None:
    h = Harness().join().open_media()
    mute = "<iq xmlns='jabber:client' type='set' id='m' from='{}'><mute xmlns='http://jitsi.org/jitmeet/audio'>{}</mute></iq>"
    h.stanza(mute.format(f"{ROOM}/0f9e8d7c", "true"))
    assert "forbidden" in last_reply(h) and not h.core.ctx.local.microphone_muted
    h.stanza(mute.format(f"{ROOM}/focus", "true"))
    assert h.core.ctx.local.microphone_muted and h.of(fx.MuteSender)[-1] == fx.MuteSender("a1b2c3d4-a0", True)
    h.stanza(mute.format(f"{ROOM}/focus", "false"))
    assert "not-allowed" in last_reply(h) and h.core.ctx.local.microphone_muted
    ticket = h.perform(ac.SetMicrophone(False))
    assert h.core.ctx.local.microphone_muted
    h.answer("jitmeet/audio", error="type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>")
    done = h.of(fx.ActionDone)[-1]
    assert done.ticket == ticket and done.failure is not None and h.core.ctx.local.microphone_muted
    h.perform(ac.SetMicrophone(False))
    h.answer("jitmeet/audio")
    assert not h.core.ctx.local.microphone_muted


def test_end_to_end_pings_are_answered() -> None:
    h = Harness().join()
    h.member("0f9e8d7c")
    h.open_media().open_bridge()
    ping = '{"colibriClass":"EndpointMessage","from":"%s","msgPayload":{"type":"e2e-ping-request","id":7}}'
    h.bridge(ping % "0f9e8d7c")
    answer = h.of(fx.SendBridge)[-1].text
    assert '"to":"0f9e8d7c"' in answer and "e2e-ping-response" in answer
    count = len(h.of(fx.SendBridge))
    h.bridge(ping % "ffffffff")
    assert len(h.of(fx.SendBridge)) == count


def test_services_for_the_bridge_are_turn_over_tcp_or_tls() -> None:
    h = Harness().connect()
    h.answer(
        "extdisco:2",
        "<services xmlns='urn:xmpp:extdisco:2'><service type='stun' host='s' port='1'/>"
        "<service type='turn' host='t' port='2' transport='udp'/>"
        "<service type='turns' host='t' port='3' transport='tcp' username='u' password='p'/></services>",
    )
    assert [(s.scheme, s.port, s.transport) for s in h.core.media.ice_servers] == [("turns", 3, "tcp")]


def test_a_recorded_dialogue_gives_the_same_events_again() -> None:
    def replay() -> list[object]:
        h = Harness().join(role="moderator")
        h.member("0f9e8d7c", '<SourceInfo>{"0f9e8d7c-a0":{"muted":false}}</SourceInfo>')
        h.open_media(extra=SOURCES).open_bridge()
        h.bridge('{"colibriClass":"DominantSpeakerEndpointChangeEvent","dominantSpeakerEndpoint":"0f9e8d7c"}')
        h.stanza(
            f"<message xmlns='jabber:client' type='groupchat' id='1' from='{ROOM}/0f9e8d7c'><body>hi</body></message>"
        )
        h.gone("0f9e8d7c", status="bye")
        return [e for e in h.events()]

    assert replay() == replay()
    kinds = {type(e) for e in replay()}
    assert {ev.Joined, ev.ParticipantJoined, ev.SourceAdded, ev.MessageReceived, ev.ParticipantLeft} <= kinds
