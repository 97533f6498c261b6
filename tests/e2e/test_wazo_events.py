"""The event socket as the person notices it: what changes elsewhere is seen here, through lost sockets and tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.calls import accounts as acc
from app.calls.accounts import AccountPhase
from app.sandbox.wazo import WazoSandbox
from app.sandbox.wazo.event_socket import EventSession
from tests.e2e.jitsi_call import eventually
from tests.e2e.wazo_desk import Office


@pytest.fixture
async def box() -> AsyncIterator[WazoSandbox]:
    async with WazoSandbox(people=10, call_log=5) as running:
        yield running


async def live(box: WazoSandbox, *, other_than: EventSession | None = None) -> EventSession:
    def found() -> list[EventSession]:
        return [one for one in box.events.sessions if one.started and one is not other_than]

    await eventually(lambda: len(found()) == 1)
    return found()[0]


@pytest.mark.covers(
    "wazo:ws.new", "wazo:option.ws.host", "wazo:option.ws.token", "wazo:option.ws.events", "wazo:option.ws.version",
    "wazo:ws.connect", "wazo:ws.on", "wazo:event.ws.eventName", "wazo:ws.close",
)  # fmt: skip
async def test_every_kind_of_event_changes_what_one_sees(box: WazoSandbox) -> None:
    async with Office(box) as office:
        await office.sign_in("alice")
        session = await live(box)
        assert session.version == 2 and session.events == {"*"} and session.user_uuid == box.user("alice").uuid
        alice = box.user("alice")
        forward = {"enabled": True, "destination": "1003"}
        box.state.user_event(alice, "users_forwards_busy_updated", forward)
        await office.until(lambda s: acc.Forward("busy", True, "1003") in s.forwards)
        agent = {"agent_id": alice.agent["id"] if alice.agent else 0, "status": "logged_in"}
        alice.agent = {**(alice.agent or {}), "logged": True}
        box.state.bus.publish("agent_status_update", agent, None, "events.statuses.agents")
        await office.until(lambda s: s.agent and s.agent.logged_in)
        box.colleague.write_to(alice, "Good morning!")
        await office.until(lambda s: s.chat_unread == 1)
        box.state.bus.publish("favorite_added", {"user_uuid": alice.uuid}, [alice.uuid], "events.directory.favorite")
        await office.event(acc.ListChanged, lambda e: e.what == "favourites")
        box.state.bus.publish("something_nobody_knows", {"x": [1]}, None, "events.x")
        box.state.set_dnd(alice, True)
        await office.until(lambda s: s.presence.do_not_disturb)
        await office.controller.sign_out(office.id)
        await eventually(lambda: not box.events.sessions)


@pytest.mark.covers(
    "wazo:option.ws.reconnection", "wazo:event.ws.AUTH_SESSION_EXPIRE_SOON", "wazo:ws.updateToken",
    "wazo:event.ws.USERS_SERVICES_DND_UPDATED", "wazo:event.ws.USERS_SERVICES_DND_UPDATED.enabled",
)  # fmt: skip
async def test_the_socket_comes_back_and_takes_new_tokens(box: WazoSandbox) -> None:
    async with Office(box) as office:
        await office.sign_in("alice")
        lost = await live(box)
        alice = box.user("alice")
        assert box.drop_events() == 1
        alice.status = "changed while nobody listened"
        session = await live(box, other_than=lost)
        await office.until(lambda s: s.presence.status == "changed while nobody listened")
        # The token ends soon, and then at once: the open socket gets the new one, the refused one is opened anew.
        first = session.token
        box.shorten_tokens("alice", 20)
        await eventually(lambda: session.token != first)
        assert session in box.events.sessions and box.state.token(session.token) is not None
        box.expire_tokens("alice")
        await live(box, other_than=session)
        assert session not in box.events.sessions
        box.state.set_dnd(alice, True)
        await office.until(lambda s: s.presence.do_not_disturb)
        assert office.state.phase is AccountPhase.SIGNED_IN
