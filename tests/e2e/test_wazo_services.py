"""Services of a phone account through the controller: calls on other devices, conferences, switchboard, agent, fax,
call-control applications. What the server has, or another account hears, is the proof."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.calls import accounts as acc
from app.calls import actions as ac
from app.calls import phone as ph
from app.calls.accounts import Registration, Service
from app.calls.model import CallPhase
from app.sandbox.wazo import WazoSandbox
from app.sandbox.wazo.rest_calld_more import new_app_call
from app.vendors.base import ActionRefused
from tests.e2e.jitsi_call import eventually
from tests.e2e.wazo_call import Someone, connected
from tests.e2e.wazo_desk import Office


@pytest.fixture
async def box() -> AsyncIterator[WazoSandbox]:
    async with WazoSandbox(people=10, call_log=5) as running:
        yield running


async def ready(office: Office, user: str) -> None:
    await office.sign_in(user)
    await office.until(lambda s: s.registration is Registration.REGISTERED)


@pytest.mark.covers(
    "wazo:rest.calld.makeCall", "wazo:rest.calld.listCalls", "wazo:rest.calld.cancelCall", "wazo:feature.Voice",
)  # fmt: skip
async def test_the_server_places_lists_and_cancels_a_call(box: WazoSandbox) -> None:
    async with Office(box) as alice, Office(box) as bob:
        await ready(alice, "alice")
        await ready(bob, "bob")
        line = str(box.user("alice").lines[0].id)
        await alice.command("calld.makeCall", extension="1002", lineId=line)
        ours = await alice.call_in(CallPhase.INCOMING)
        await alice.controller.perform(ours, ph.Answer())
        theirs = await bob.call_in(CallPhase.INCOMING)
        await bob.controller.perform(theirs, ph.Answer())
        await bob.call_in(CallPhase.JOINED)
        await eventually(lambda: all(leg.up for leg in box.legs()) and len(box.legs()) == 2)
        listed = await alice.command("calld.listCalls")
        assert [one["call_id"] for one in listed["items"]] == [leg.id for leg in box.legs("alice")]
        assert len(await alice.listed("calls")) == 1
        await alice.command("calld.cancelCall", callId=listed["items"][0]["call_id"])
        await eventually(lambda: not box.legs())
        await bob.wait_for(lambda: not bob.controller.calls())
        with pytest.raises(ActionRefused) as caught:
            await alice.command("calld.makeCall", extension="99887")
        assert caught.value.failure.code == "number_not_found"


@pytest.mark.covers("wazo:rest.calld.relocateCall")
async def test_a_call_moves_to_another_phone(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        call, theirs = await connected(alice, bob, "1002")
        (leg,) = box.legs("alice")
        where = {"callId": leg.id, "destination": "line"}
        with pytest.raises(ActionRefused):
            await alice.account.perform(acc.Administer("calld.relocateCall", {**where, "lineId": "999"}))
        line = str(box.user("alice").lines[0].id)
        await alice.account.perform(acc.Administer("calld.relocateCall", {**where, "lineId": line}))
        other = await alice.rings()
        await other.do(ph.Answer())
        await call.until(lambda s: s.phase is CallPhase.ENDED)
        await other.until(lambda s: s.phase is CallPhase.JOINED)
        await eventually(lambda: len(box.legs("alice")) == 1 and box.legs("alice")[0] is not leg)
        await asyncio.gather(other.hears(), theirs.hears())


@pytest.mark.covers("wazo:rest.calld.getConferenceParticipantsAsUser")
async def test_who_is_in_the_conference() -> None:
    async with WazoSandbox(people=0, call_log=0, quiet_bots=True) as box, Office(box) as office:
        await ready(office, "alice")
        call = await office.controller.dial(office.id, "700", room=True)
        await office.wait_for(lambda: office.controller.state(call).phase is CallPhase.JOINED)
        await eventually(lambda: bool(box.calls.rooms.open))
        room = next(iter(box.calls.rooms.open.values()))
        key = next(key for key, one in box.calls.rooms.open.items() if one is room)
        listed = await office.command("calld.getConferenceParticipantsAsUser", conferenceId=key)
        assert "Alice Archer" in {one["caller_id_name"] for one in listed["items"]}
        await office.wait_for(lambda: len(room.members) + len(room.bots) == 3)

        def shown() -> list[str]:
            people = office.controller.state(call).participants.values()
            return sorted(one.name for one in people if not one.is_hidden)

        await eventually(lambda: len(shown()) == 3)
        listed = await office.command("calld.getConferenceParticipantsAsUser", conferenceId=key)
        names = sorted(one["caller_id_name"] for one in listed["items"])
        assert names == shown() and "Alice Archer" in names


@pytest.mark.covers(
    "wazo:rest.calld.fetchSwitchboardQueuedCalls", "wazo:rest.calld.fetchSwitchboardHeldCalls",
    "wazo:rest.calld.answerSwitchboardQueuedCall", "wazo:rest.calld.answerSwitchboardHeldCall",
    "wazo:rest.calld.holdSwitchboardCall",
)  # fmt: skip
async def test_the_switchboard(box: WazoSandbox) -> None:
    waiting = {"id": "1.1", "caller_id_name": "Vera Visitor", "caller_id_number": "5550100"}
    box.state.switchboard["queued"].append(waiting)
    async with Office(box) as office:
        await ready(office, "alice")
        await office.until(lambda s: s.switchboards and s.switchboards[0].calls)
        (board,) = office.state.switchboards
        assert board.calls == (acc.WaitingCall("1.1", "Vera Visitor", "5550100", False),)
        await office.do(acc.HoldWaitingCall(board.id, "1.1"))
        assert box.state.switchboard == {"queued": [], "held": [waiting]}
        await office.until(lambda s: [call.held for call in s.switchboards[0].calls] == [True])
        await office.do(acc.AnswerWaitingCall(board.id, "1.1", held=True))
        assert not box.state.switchboard["held"]
        call = await office.call_in(CallPhase.JOINED, CallPhase.INCOMING)
        phone = office.controller.state(call).phone
        assert phone and phone.remote_name == "Vera Visitor"
        await office.until(lambda s: not s.switchboards[0].calls)
        await office.call_in(CallPhase.JOINED)
        await office.controller.perform(call, ac.Leave())
        await eventually(lambda: not box.legs("alice"))
        box.state.switchboard["queued"].append({**waiting, "id": "1.2"})
        await office.do(acc.AnswerWaitingCall(board.id, "1.2"))
        assert not box.state.switchboard["queued"]
        await office.call_in(CallPhase.JOINED)
        await eventually(lambda: any(leg.up for leg in box.legs("alice")))


@pytest.mark.covers(
    "wazo:rest.agentd.loginWithLineId", "wazo:rest.agentd.getStatus", "wazo:rest.agentd.staticPause",
    "wazo:rest.agentd.staticResume", "wazo:rest.agentd.staticLogout", "wazo:rest.agentd.getAgent",
    "wazo:rest.agentd.login", "wazo:rest.agentd.logout", "wazo:rest.agentd.pause", "wazo:rest.agentd.resume",
)  # fmt: skip
async def test_an_agent_and_its_supervisor(box: WazoSandbox) -> None:
    async with Office(box) as office, Office(box) as supervisor:
        await ready(office, "alice")
        await supervisor.sign_in("admin")
        await office.until(lambda s: s.agent)
        await eventually(lambda: len([one for one in box.events.sessions if one.started]) == 2)
        agent = box.user("alice").agent
        assert agent is not None and office.state.agent and office.state.agent.number == agent["number"]
        await office.do(acc.SetAgent("login"))
        assert agent["logged"] and agent["state_interface"] == f"PJSIP/{box.user('alice').lines[0].name}"
        await office.do(acc.SetAgent("pause", reason="coffee"))
        assert agent["paused_reason"] == "coffee" and office.state.agent.paused
        await office.do(acc.SetAgent("resume"))
        assert not agent["paused"] and not office.state.agent.paused
        await office.do(acc.SetAgent("logout"))
        assert not agent["logged"] and not office.state.agent.logged_in
        number = agent["number"]
        await supervisor.command("agentd.login", agentNumber=number, context="default", extension="1001")
        assert agent["logged"]
        await office.until(lambda s: s.agent and s.agent.logged_in)
        assert (await supervisor.command("agentd.getAgent", agentId=str(agent["id"])))["logged"] is True
        await supervisor.command("agentd.pause", agentNumber=number, reason="meeting")
        await office.until(lambda s: s.agent and s.agent.paused)
        await supervisor.command("agentd.resume", agentNumber=number)
        await office.until(lambda s: s.agent and not s.agent.paused)
        await supervisor.command("agentd.logout", agentNumber=number)
        await office.until(lambda s: s.agent and not s.agent.logged_in)
        assert not agent["logged"]


@pytest.mark.covers("wazo:feature.Fax", "wazo:rest.calld.sendFax")
async def test_a_fax_is_sent_or_can_be_sent_again(box: WazoSandbox, tmp_path: Path) -> None:
    document = tmp_path / "letter.pdf"
    document.write_bytes(b"%PDF-1.4\n" + b"x" * 5000)
    async with Office(box) as office:
        state = await office.sign_in("alice")
        assert Service.FAX in state.services
        await eventually(lambda: bool(box.events.sessions))
        await office.do(acc.SendFax("5551234", str(document), caller_id="1001"))
        await office.until(lambda s: s.faxes and s.faxes[-1].state == "sent")
        (fax,) = box.user("alice").faxes
        assert fax["extension"] == "5551234" and fax["bytes"] == 5009 and fax["caller_id"] == "1001"
        await office.do(acc.SendFax("699", str(document)))
        failed = (await office.until(lambda s: s.faxes[-1].state == "failed")).faxes[-1]
        assert failed.error and failed.path == str(document)


@pytest.mark.covers(
    "wazo:rest.application.calls", "wazo:rest.application.hangupCall", "wazo:rest.application.answerCall",
    "wazo:rest.application.listNodes", "wazo:rest.application.listCallsNodes", "wazo:rest.application.removeCallNodes",
    "wazo:rest.application.addCallNodes", "wazo:rest.application.playCall", "wazo:rest.confd.listApplications",
)  # fmt: skip
async def test_a_call_control_application(box: WazoSandbox) -> None:
    (application,) = box.state.applications.values()
    entry = new_app_call(application, "17.1", "5550100", None)
    entry["status"] = "Ring"
    async with Office(box) as office:
        await office.sign_in("admin")
        await eventually(lambda: bool(box.events.sessions))
        (lobby,) = await office.listed("applications")
        app = {"applicationUuid": lobby["uuid"]}
        assert [one["id"] for one in await office.listed("application_calls", lobby["uuid"])] == ["17.1"]
        assert (await office.command("application.calls", **app))["items"][0]["status"] == "Ring"
        await office.command("application.answerCall", **app, callId="17.1")
        assert entry["status"] == "Up"
        await office.event(acc.ListChanged, lambda e: e.what == "applications")
        played = await office.command("application.playCall", **app, callId="17.1", language="en", uri="sound:hello")
        assert entry["playbacks"][played["uuid"]]["uri"] == "sound:hello"
        node = await office.command("application.createNewNodeWithCall", **app, callIds=["17.1"])
        assert entry["node_uuid"] == node["uuid"]
        assert [one["uuid"] for one in (await office.command("application.listNodes", **app))["items"]] == [
            node["uuid"]
        ]
        inside = {**app, "nodeUuid": node["uuid"]}
        assert (await office.command("application.listCallsNodes", **inside))["calls"] == [{"id": "17.1"}]
        await office.command("application.removeCallNodes", **inside, callId="17.1")
        assert entry["node_uuid"] is None and "17.1" in application["calls"]
        await office.command("application.addCallNodes", **inside, callId="17.1")
        assert entry["node_uuid"] == node["uuid"]
        await office.command("application.addNewCallNodes", **inside, context="default", exten="1002")
        assert len(application["nodes"][node["uuid"]]["calls"]) == 2
        await office.command("application.hangupCall", **app, callId="17.1")
        assert "17.1" not in application["calls"]


@pytest.mark.covers("wazo:feature.Config", "wazo:rest.confd.getUser", "wazo:rest.confd.getUserLineSip")
async def test_own_settings_are_the_servers(box: WazoSandbox) -> None:
    alice = box.user("alice")
    alice.forwards["busy"] = {"enabled": True, "destination": "1003"}
    async with Office(box) as office:
        await ready(office, "alice")
        assert acc.Forward("busy", True, "1003") in office.state.forwards
        await office.do(acc.SetForward(acc.Forward("unconditional", True, "1002")))
        assert alice.forwards["unconditional"] == {"enabled": True, "destination": "1002"}
        await office.do(acc.SetForward(acc.Forward("busy", False, "1003")))
        assert alice.forwards["busy"]["enabled"] is False
        (contact,) = box.contacts("alice")
        assert contact and office.state.lines[0].label
