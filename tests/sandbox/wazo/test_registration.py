"""Registering, the socket's rules, lost connections, faults on the signalling path."""

from __future__ import annotations

import time

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.protocols.sip.events import OfferFailed, RegistrationChanged
from app.sandbox.wazo import WazoSandbox
from tests.sandbox.wazo.conftest import MakePhone, MakeSandbox
from tests.sandbox.wazo.phone import Phone, until


async def test_register_qualify_unregister(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    phone = await make_phone(sandbox)
    granted = [e for e in phone.events if isinstance(e, RegistrationChanged) and e.expires][0].expires
    assert granted == 599 and sandbox.registered("alice")
    socket = next(iter(sandbox.sip.sockets))
    await until(lambda: any(way == "<" and frame.startswith("SIP/2.0 200") for way, frame in socket.frames))
    assert sandbox.state.presence(sandbox.user("alice").uuid)["line_state"] == "available"  # type: ignore[index]
    phone.agent.unregister(time.monotonic())
    phone.pump()
    await until(lambda: not sandbox.registered("alice"))


async def test_wrong_password(make_sandbox: MakeSandbox) -> None:
    from dataclasses import replace

    from app.protocols.sip.user_agent import UserAgent

    sandbox = await make_sandbox()
    phone = Phone(sandbox)
    phone.agent = UserAgent(replace(phone.config, password="wrong"))
    try:
        await phone.open(register=False)
        phone.agent.register(time.monotonic())
        phone.pump()
        await until(lambda: [e for e in phone.events if isinstance(e, RegistrationChanged) and e.status == 401])
        assert not sandbox.registered("alice")
    finally:
        await phone.close()


async def test_socket_wants_exactly_sip(make_sandbox: MakeSandbox) -> None:
    sandbox = await make_sandbox()
    async with aiohttp.ClientSession() as session:
        for protocols in ((), ("sip", "xmpp")):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{sandbox.base_url}/api/asterisk/ws", protocols=protocols)
            assert refused.value.status == 403


async def test_call_survives_a_lost_connection(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    phone = await make_phone(sandbox)
    call = await phone.call("600", tone=700)
    await until(lambda: call.hears(700))
    sandbox.drop_sip("alice")
    await until(lambda: not sandbox.registered("alice"))
    call.media.heard.clear()
    await until(lambda: call.hears(700))
    await phone.reopen()
    await call.reinvite()
    assert sandbox.legs("alice")[0].reinvites == 1
    phone.hang_up(call)
    await until(lambda: not sandbox.legs("alice"))


async def test_glare_and_lost_responses(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    phone = await make_phone(sandbox)
    call = await phone.call("600")
    sandbox.faults.glare = 1
    sdp = await call.media.offer()
    phone.agent.reinvite(call.key, sdp, time.monotonic())
    phone.pump()
    failed = await until(lambda: call.events(OfferFailed))
    assert failed[0].status == 491
    sandbox.faults.lose_sip.append("SIP/2.0 180")
    sandbox.faults.reject_invite = 503
    refused = await phone.call("600")
    assert phone.ended(refused).status == 503


FRAMES = st.one_of(
    st.text(max_size=200),
    st.builds(
        "{} sip:600@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/WS h.invalid;branch=z9hG4bK{}\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:600@b>{}\r\nCall-ID: {}\r\nCSeq: {}\r\n\r\n{}".format,
        st.sampled_from(("INVITE", "ACK", "BYE", "REGISTER", "CANCEL", "REFER", "FOO")),
        st.integers(0, 99), st.sampled_from(("", ";tag=x")), st.text("ab", max_size=3),
        st.sampled_from(("1 INVITE", "1 BYE", "x", "1 REGISTER")), st.text(max_size=50),
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(FRAMES, max_size=5))
async def test_nonsense_does_not_break_the_connection(frames: list[str]) -> None:
    async with WazoSandbox(tls=False, people=3, call_log=0) as sandbox:
        phone = Phone(sandbox)
        try:
            await phone.open(register=False)
            assert phone.socket is not None
            for frame in frames:
                await phone.socket.send_str(frame)
            phone.agent.register(time.monotonic())
            phone.pump()
            await until(lambda: phone.agent.registered)
        finally:
            await phone.close()
