from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocols.xmpp import ns
from app.protocols.xmpp.dataforms import build_form, first, parse_form
from app.protocols.xmpp.disco import (
    DiscoInfo,
    ExternalService,
    Identity,
    caps_ver,
    info_result,
    parse_info,
    parse_services,
    services_result,
)
from app.protocols.xmpp.framing import close_frame, is_close, is_open, open_frame
from app.protocols.xmpp.jid import Jid, bare, resource
from app.protocols.xmpp.stanza import error_of, iq, message, parse_error, result_of
from app.protocols.xmpp.xml import BadXml, child_text, el, parse, serialise


def test_default_namespaces_only() -> None:
    text = serialise(message("a@b", el("body", ns.CLIENT, text="<&>"), el("x", ns.MUC_USER), type_="chat"))
    assert text == (
        '<message xmlns="jabber:client" type="chat" to="a@b"><body>&lt;&amp;&gt;</body>'
        '<x xmlns="http://jabber.org/protocol/muc#user"/></message>'
    )


def test_control_characters_are_dropped() -> None:
    text = serialise(el("body", ns.CLIENT, {"a": "x\x00y"}, text="a\x08b\ud800c\n"))
    assert child_text(parse(f"<w>{text}</w>"), "body") == "abc"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "<a>",
        "<a/><b/>",
        "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<a>" * 60 + "</a>" * 60,
        "<a b='" + "x" * 1_000_001 + "'/>",
    ],
)
def test_dangerous_or_broken_xml_is_refused(text: str) -> None:
    with pytest.raises(BadXml):
        parse(text)


@given(st.text())
def test_any_text_gives_an_element_or_bad_xml(text: str) -> None:
    with contextlib.suppress(BadXml):
        parse(text)


@given(st.text(), st.text())
def test_any_text_survives_writing(text: str, attribute: str) -> None:
    again = parse(serialise(el("a", ns.CLIENT, {"x": attribute}, text=text)))
    assert parse(serialise(again)).get("x") == again.get("x")


def test_framing() -> None:
    assert is_open(parse(serialise(open_frame("example.com"))))
    assert is_close(parse(serialise(close_frame())))
    assert not is_open(close_frame())


def test_jid() -> None:
    assert Jid.parse("Room@Conf.Example.com/Nick/x") == Jid("room", "conf.example.com", "Nick/x")
    assert str(Jid.parse("example.com")) == "example.com"
    assert bare("a@B/c") == "a@b" and resource("a@b/c") == "c" and bare(None) == ""


def test_caps_hash_of_the_specification() -> None:
    # XEP-0115 section 5.2, simple generation example
    features = [
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/disco#items",
        "http://jabber.org/protocol/muc",
        "http://jabber.org/protocol/caps",
    ]
    assert caps_ver(features, [Identity("client", "pc", "Exodus 0.9.1")]) == "QgayPKawpkPSDYmwT/WM94uAlu0="


def test_disco_round_trip() -> None:
    form = build_form("result", {"muc#roominfo_meetingId": "m1"}, "http://jabber.org/protocol/muc#roominfo")
    query = info_result(["b", "a"], [Identity("component", "polls", "polls.example.com")], "n", form)
    info = parse_info(parse(serialise(iq("result", "1", None, query))))
    assert info is not None
    assert info.features == {"a", "b"} and info.node == "n"
    assert info.identities == (Identity("component", "polls", "polls.example.com"),)
    assert first(info.form, "muc#roominfo_meetingId") == "m1"
    assert parse_info(iq("result", "1", None)) is None
    assert DiscoInfo().form == {}


def test_forms() -> None:
    fields = parse_form(build_form("submit", {"a": "1", "b": ["x", "y"]}, "T"))
    assert fields == {"FORM_TYPE": ("T",), "a": ("1",), "b": ("x", "y")}
    assert first(fields, "missing", "d") == "d"


def test_external_services() -> None:
    services = (ExternalService("turns", "turn.example.com", 443, "tcp", "u", "secret"),)
    assert parse_services(parse(serialise(iq("result", "1", None, services_result(services))))) == services
    assert parse_services(iq("result", "1", None, services_result(services, 1))) == services
    assert "secret" not in repr(services)
    bad = parse("<iq><services xmlns='urn:xmpp:extdisco:2'><service type='turn' host='h' port='x'/></services></iq>")
    assert parse_services(bad) == ()


def test_errors() -> None:
    request = iq("set", "7", "focus@x/y", from_="me@x/z")
    reply = parse(serialise(error_of(request, "auth", "forbidden", el("why", "urn:x"), text="no")))
    assert (reply.get("id"), reply.get("to")) == ("7", "me@x/z")
    error = parse_error(reply)
    assert error is not None
    assert (error.type, error.condition, error.text) == ("auth", "forbidden", "no")
    assert error.has("why") and not error.has("other")
    assert parse_error(result_of(request)) is None
    assert parse_error(el("iq", ns.CLIENT, {"type": "error"})) is not None
