"""Our session against a real Prosody: login, rooms, passwords, roles, words, and streams that survive a cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.model import Asked, CallPhase, MediaKind, Role
from app.vendors.base import ActionRefused
from tests.e2e.jitsi_call import Person
from tests.interop.prosody import Focus, Prosody, Wire

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]
PASSWORD = "correct horse"


class Place:
    """A server with its controller, and people who go there."""

    def __init__(self, prosody: Prosody, focus: Focus) -> None:
        self.prosody, self.focus = prosody, focus
        self._rooms = 0

    def room(self) -> str:
        self._rooms += 1
        return f"room{self._rooms}"

    def person(
        self, room: str, name: str, *, port: int | None = None, options: dict[str, Any] | None = None, **how: Any
    ) -> Person:
        url = f"http://127.0.0.1:{self.prosody.http_port}/{room}"
        return Person(url, name, options={"config": self.prosody.config(port), **(options or {})}, **how)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder: Path = tmp_path_factory.mktemp("prosody")
    async with Prosody(folder, {"ada": PASSWORD}) as prosody, Focus(prosody) as focus:
        yield Place(prosody, focus)


async def _moderates(one: Person) -> None:
    await one.until(lambda s: s.participants[one.id].role is Role.MODERATOR)


def _texts(one: Person) -> list[str]:
    return [message.text for message in one.state.messages]


@pytest.mark.covers(
    "jitsi:conference.join",
    "jitsi:event.conference.CONFERENCE_JOINED",
    "jitsi:event.conference.USER_JOINED",
    "jitsi:event.conference.USER_LEFT",
    "jitsi:event.conference.USER_ROLE_CHANGED",
    "jitsi:conference.sendTextMessage",
    "jitsi:event.conference.MESSAGE_RECEIVED",
    "jitsi:conference.setSubject",
    "jitsi:event.conference.SUBJECT_CHANGED",
    "jitsi:event.conference.DISPLAY_NAME_CHANGED",
    "jitsi:conference.setLocalParticipantProperty",
    "jitsi:event.conference.PARTICIPANT_PROPERTY_CHANGED",
)
async def test_guests_meet_and_speak(place: Place) -> None:
    room = place.room()
    async with (
        place.person(room, "Ada") as ada,
        place.person(room, "Bob") as bob,
        place.person(room, "Cleo") as cleo,
    ):
        await ada.until(lambda s: {p.name for p in s.participants.values()} == {"Ada", "Bob", "Cleo"})
        assert f"{room}@conference.meet.test" in place.focus.asked
        await _moderates(ada)
        await bob.until(lambda s: s.participants[ada.id].role is Role.MODERATOR)
        await ada.do(ac.SendMessage("hello <all> & 🎉"))
        state = await bob.until(lambda s: s.messages)
        assert (state.messages[0].sender_id, state.messages[0].text) == (ada.id, "hello <all> & 🎉")
        assert ada.state.messages[0].delivered
        await bob.do(ac.SendMessage("only you", to=ada.id))
        state = await ada.until(lambda s: len(s.messages) == 2)
        assert state.messages[1].private_to == bob.id
        await ada.do(ac.SetSubject("Engines"))
        await bob.until(lambda s: s.subject == "Engines")
        await bob.do(ac.RaiseHand(True))
        await ada.until(lambda s: s.participants[bob.id].raised_hand_at)
        await bob.do(ac.RaiseHand(False))
        await ada.until(lambda s: s.participants[bob.id].raised_hand_at is None)
        await bob.do(ac.SetProperty("mood", "curious"))
        await bob.do(ac.SetDisplayName("Robert"))
        state = await ada.until(lambda s: s.participants[bob.id].name == "Robert")
        await ada.until(lambda s: s.participants[bob.id].properties.get("mood") == "curious")
        await ada.do(ac.SendMessage("last"))
        await cleo.until(lambda _: "last" in _texts(cleo))
        assert "only you" not in _texts(cleo) and cleo.state.subject == "Engines"
        await cleo.do(ac.Leave())
        await ada.until(lambda s: cleo.id not in s.participants)


@pytest.mark.covers("jitsi:option.connection.bosh", "jitsi:option.connection.serviceUrl")
async def test_bosh_and_websocket_meet(place: Place) -> None:
    room = place.room()
    bosh = {"serviceUrl": f"http://127.0.0.1:{place.prosody.http_port}/http-bind"}
    async with place.person(room, "Ada", options=bosh) as ada, place.person(room, "Bob") as bob:
        await bob.until(lambda s: ada.id in s.participants)
        for number in range(5):
            await ada.do(ac.SendMessage(f"bosh {number}"))
            await bob.do(ac.SendMessage(f"socket {number}"))
        for one in (ada, bob):
            await one.until(lambda s: len(s.messages) == 10)
            for way in ("bosh", "socket"):
                assert [t for t in _texts(one) if t.startswith(way)] == [f"{way} {n}" for n in range(5)]
        await ada.do(ac.Leave())
        await bob.until(lambda s: ada.id not in s.participants)


@pytest.mark.covers(
    "jitsi:error.connection.PASSWORD_REQUIRED",
    "jitsi:connection.connect",
    "jitsi:param.connection.connect.id",
    "jitsi:param.connection.connect.password",
)
async def test_account_with_wrong_and_right_password(place: Place) -> None:
    room = place.room()
    async with (
        place.person(room, "Bob") as bob,
        place.person(room, "Ada", start=False, user="ada", user_password="wrong") as ada,
    ):
        joining = asyncio.create_task(ada.session.join())
        asked = await ada.event(ev.InputAsked)
        assert asked.what is Asked.SIGN_IN and asked.failure is not None
        assert asked.failure.message == "The user name or password is wrong. Try again."
        await ada.do(ac.SignIn("ada", PASSWORD))
        await joining
        await bob.until(lambda s: ada.id in s.participants)
        members = place.focus.members[f"{room}@conference.meet.test"]
        assert members[ada.id].startswith("ada@accounts.meet.test/")
        assert not members[bob.id].startswith("ada@")


@pytest.mark.covers(
    "jitsi:error.conference.PASSWORD_REQUIRED",
    "jitsi:param.conference.join.password",
    "jitsi:conference.lock",
    "jitsi:param.conference.lock.password",
    "jitsi:conference.unlock",
)
async def test_locked_room(place: Place) -> None:
    room = place.room()
    async with place.person(room, "Ada") as ada, place.person(room, "Bob") as bob:
        await _moderates(ada)
        await ada.do(ac.Lock("s3cret"))
        await bob.until(lambda s: s.locked)
        async with place.person(room, "Cleo", start=False) as cleo:
            joining = asyncio.create_task(cleo.session.join())
            assert (await cleo.event(ev.InputAsked)).failure is None
            await cleo.do(ac.SubmitPassword("wrong"))
            again = await cleo.event(ev.InputAsked, lambda e: e.failure is not None)
            assert again.what is Asked.ROOM_PASSWORD and again.failure is not None
            assert again.failure.message == "The meeting password is wrong. Try again."
            assert cleo.id not in bob.state.participants
            await cleo.do(ac.SubmitPassword("s3cret"))
            await joining
            await bob.until(lambda s: cleo.id in s.participants)
            assert cleo.state.locked or await cleo.until(lambda s: s.locked)
            await ada.do(ac.Lock(None))
            await bob.until(lambda s: not s.locked)
            await cleo.until(lambda s: not s.locked)
        async with place.person(room, "Dan") as dan:
            await bob.until(lambda s: dan.id in s.participants)


@pytest.mark.covers(
    "jitsi:conference.revokeOwner",
    "jitsi:param.conference.revokeOwner.participantId",
    "jitsi:conference.isModerator",
    "jitsi:conference.kickParticipant",
    "jitsi:param.conference.kickParticipant.id",
    "jitsi:param.conference.kickParticipant.reason",
    "jitsi:event.conference.KICKED",
    "jitsi:event.conference.PARTICIPANT_KICKED",
)
async def test_roles_and_removal(place: Place) -> None:
    room = place.room()
    async with (
        place.person(room, "Ada") as ada,
        place.person(room, "Bob") as bob,
        place.person(room, "Cleo") as cleo,
    ):
        await _moderates(ada)
        with pytest.raises(ActionRefused) as refused:
            await bob.do(ac.Kick(cleo.id))
        assert refused.value.failure.message == "Only a moderator can do this."
        await ada.do(ac.GrantModerator(bob.id))
        await _moderates(bob)
        await cleo.until(lambda s: s.participants[bob.id].role is Role.MODERATOR)
        await ada.do(ac.RevokeModerator(bob.id))
        await bob.until(lambda s: s.participants[bob.id].role is Role.PARTICIPANT)
        await cleo.until(lambda s: s.participants[bob.id].role is Role.PARTICIPANT)
        assert not bob.state.capabilities["Kick"].allowed
        await ada.do(ac.Kick(cleo.id, "Too loud & <rude>"))
        kicked = await cleo.event(ev.LocalKicked)
        assert (kicked.actor_id, kicked.reason) == (ada.id, "Too loud & <rude>")
        assert cleo.state.phase is CallPhase.ENDED and cleo.state.end_reason == "Too loud & <rude>"
        seen = await bob.event(ev.ParticipantKicked)
        assert (seen.participant_id, seen.actor_id, seen.reason) == (cleo.id, ada.id, "Too loud & <rude>")


async def test_moderator_mutes_and_nobody_else_may(place: Place) -> None:
    room = place.room()
    async with (
        place.person(room, "Ada") as ada,
        place.person(room, "Bob", microphone_muted=False) as bob,
    ):
        await _moderates(ada)
        await ada.until(lambda s: (x := s.sources.get(f"{bob.id}-a0")) and not x.muted)
        await ada.do(ac.MuteParticipant(bob.id, MediaKind.AUDIO))
        await bob.until(lambda s: s.local.microphone_muted)
        assert bob.state.local.microphone_muted_by == ada.id
        await ada.until(lambda s: s.sources[f"{bob.id}-a0"].muted)
        await bob.do(ac.SetMicrophone(False))
        await ada.until(lambda s: not s.sources[f"{bob.id}-a0"].muted)


async def test_cut_stream_is_resumed_and_nothing_is_lost_or_doubled(place: Place) -> None:
    room = place.room()
    async with (
        Wire(place.prosody.http_port) as wire,
        place.person(room, "Ada", port=wire.port, user="ada", user_password=PASSWORD) as ada,
        place.person(room, "Bob") as bob,
    ):
        await bob.until(lambda s: ada.id in s.participants)
        await ada.until(lambda s: bob.id in s.participants)
        own_id, asked = ada.id, len(place.focus.asked)
        await ada.do(ac.SendMessage("before"))
        await bob.until(lambda s: _texts(bob) == ["before"])
        bob.forget()
        wire.swallow = True
        await bob.do(ac.SendMessage("lost on the way to Ada"))
        swallowed = asyncio.create_task(ada.do(ac.SendMessage("lost on the way to Bob")))
        await bob.until(lambda s: "lost on the way to Ada" in _texts(bob))
        wire.cut()
        await ada.until(lambda s: s.phase is CallPhase.RECONNECTING)
        await bob.do(ac.SendMessage("while Ada is away"))
        await bob.until(lambda s: s.messages[-1].delivered and s.messages[-1].text == "while Ada is away")
        wire.mend()
        await ada.until(lambda s: s.phase is CallPhase.JOINED)
        await swallowed
        await ada.do(ac.SendMessage("after"))
        await bob.do(ac.SendMessage("end"))
        for one in (ada, bob):
            await one.until(lambda s, one=one: {"after", "end"} <= set(_texts(one)))
        expected = ["before", "lost on the way to Ada", "lost on the way to Bob", "while Ada is away", "after", "end"]
        assert sorted(_texts(ada)) == sorted(_texts(bob)) == sorted(expected)
        assert ada.id == own_id and len(place.focus.asked) == asked and wire.opened >= 2
        assert not [e for e in bob.events if isinstance(e, (ev.ParticipantLeft, ev.ParticipantJoined))]


async def test_refused_resumption_leads_back_into_the_room(place: Place) -> None:
    """Guests have a new name at each login, so stock Prosody cannot give them their old stream."""
    room = place.room()
    async with (
        Wire(place.prosody.http_port) as wire,
        place.person(room, "Ada", port=wire.port) as ada,
        place.person(room, "Bob") as bob,
    ):
        await bob.until(lambda s: ada.id in s.participants)
        await ada.do(ac.SendMessage("before"))
        await bob.do(ac.SendMessage("answer"))
        await ada.until(lambda s: _texts(ada) == ["before", "answer"])
        await ada.do(ac.RaiseHand(True))
        asked = len(place.focus.asked)
        ada.forget()
        wire.cut()
        await ada.event(ev.PhaseChanged, lambda e: e.phase is CallPhase.RECONNECTING)
        wire.mend()
        await ada.event(ev.Joined)
        assert len(place.focus.asked) == asked + 1
        await ada.until(lambda s: s.phase is CallPhase.JOINED and bob.id in s.participants)
        await bob.do(ac.SendMessage("welcome back"))
        await ada.until(lambda s: "welcome back" in _texts(ada))
        assert _texts(ada) == ["before", "answer", "welcome back"]
        await ada.do(ac.SendMessage("thanks"))
        state = await bob.until(lambda s: "thanks" in _texts(bob))
        names = [state.participants[m.sender_id].name for m in state.messages if m.text == "thanks"]
        assert names == ["Ada"] and state.participants[ada.id].raised_hand_at
