"""Scenes of the phone for :mod:`ui.screenshots`: accounts, calls and everything around them, with stand-ins."""

from __future__ import annotations

import importlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

Scene = Callable[[Any], Awaitable[None]]
SCENES: dict[str, Scene] = {}
CONTACTS = 10_000
CALLS = 10_000
HOUR_MS = 3_600_000


def scene(name: str) -> Callable[[Scene], Scene]:
    def keep(made: Scene) -> Scene:
        SCENES[f"phone-{name}"] = made
        return made

    return keep


async def _settle(seconds: float = 0.15) -> None:
    import asyncio

    await asyncio.sleep(seconds)


def _fa() -> Any:
    return importlib.import_module("tests.ui.fake_accounts")


def _now() -> int:
    return int(time.time() * 1000)


def contacts_page(query: Any) -> Any:
    """Ten thousand people, read page by page."""
    from app.calls.accounts import Page

    fa = _fa()
    if query.favourites:
        items = tuple(fa.contact(n, favourite=True) for n in range(1, 7))
    elif query.personal:
        items = tuple(fa.contact(n, personal=True, user_id="", source="personal") for n in range(11, 15))
    else:
        end = min(CONTACTS, query.offset + query.limit)
        some = tuple(
            fa.contact(n, favourite=n in (1, 4), personal=n == 6, user_id="" if n == 6 else f"u-{n}")
            for n in range(query.offset, end)
        )
        if not query.text:
            return Page(some, CONTACTS)
        items = tuple(one for one in map(fa.contact, range(60)) if query.text.casefold() in one.name.casefold())
    return Page(items[query.offset : query.offset + query.limit], len(items))


def calls_page(query: Any) -> Any:
    from app.calls.accounts import CallLogEntry, Page

    fa = _fa()
    kinds = (("inbound", "answered"), ("outbound", "answered"), ("inbound", "missed"), ("inbound", "voicemail"))
    items = []
    for n in range(query.offset, min(CALLS, query.offset + query.limit)):
        direction, status = kinds[(n * 7 + n // 3) % 4]
        person = fa.contact(n % 23)
        recordings = ("r1",) if n % 5 == 1 else ()
        items.append(
            CallLogEntry(str(n), direction, status, _now() - n * HOUR_MS * 5 - 600_000, 61_000 * (n % 9),
                         "" if n == 3 else person.name, person.numbers[0].number, recordings=recordings)
        )  # fmt: skip
    return Page(tuple(items), CALLS)


def voicemails() -> tuple[Any, ...]:
    from app.calls.accounts import VoicemailMessage

    fa = _fa()
    words = {1: "Hello, could you call me back about the offer?"}
    found = []
    for n in range(6):
        person = fa.contact(n)
        folder = "new" if n < 2 else "urgent" if n == 2 else "old"
        at = _now() - n * 9 * HOUR_MS - 900_000
        length = 23_000 + 17_000 * n
        number = person.numbers[0].number
        found.append(VoicemailMessage(str(n), person.name, number, at, length, folder, transcription=words.get(n, "")))
    return tuple(found)


def rooms() -> tuple[Any, ...]:
    from app.calls.accounts import Room

    return (
        Room("1", "Team room", "9001"),
        Room("2", "Customer talks", "9002"),
        Room("3", "Project Aurora weekly", "", "meeting", "https://phone.example.org/guest/aurora", True, True),
        Room("4", "Interview", "", "meeting", "https://phone.example.org/guest/interview", owned=True),
    )


def chat_rooms() -> tuple[Any, ...]:
    from app.calls.accounts import ChatRoom

    fa = _fa()
    texts = ("See you at three!", "The slides are in the folder", "👍", "Who takes the call with Oslo?")
    return tuple(
        ChatRoom(f"room-{n}", "Launch team" if n == 3 else fa.contact(n + 1).name,
                 ("u-robin", f"u-{n + 1}") + (("u-9",) if n == 3 else ()), texts[n], _now() - n * 3 * HOUR_MS,
                 2 if n == 1 else 0)
        for n in range(4)
    )  # fmt: skip


def chat_messages(query: Any) -> Any:
    from app.calls.accounts import ChatMessage, Page

    fa = _fa()
    other = fa.contact(1)
    said = (
        (False, "Good morning! Did the customer call back?"),
        (True, "Yes, ten minutes ago. They want the second offer: https://docs.example.org/offer-2"),
        (False, "Great. Shall we talk to them together this afternoon?"),
        (True, "Sure, I am free from three on."),
        (False, "See you at three!"),
    )
    items = tuple(
        ChatMessage(f"m{i}", query.room_id, "u-robin" if own else other.user_id, "Robin Meyer" if own else other.name,
                    text, _now() - (len(said) - i) * 240_000, own)
        for i, (own, text) in enumerate(said)
    )  # fmt: skip
    return Page(items, len(items))


def account(stage: Any, **fields: Any) -> Any:
    """Sign the stand-in's account in, with everything that the pages read."""
    from app.calls.accounts import AgentQueue, AgentState, FaxJob, Presence, Switchboard, WaitingCall

    fa = _fa()
    lines = ("available", "talking", "", "ringing", "available", "")
    states = ("available", "busy", "away", "available", "available", "unavailable")
    known = {
        f"u-{n}": Presence(f"u-{n}", states[n % 6], "In the lab until noon" if n == 2 else "", lines[n % 6],
                           do_not_disturb=n == 4)
        for n in range(30)
    }  # fmt: skip
    state = fa.account(
        **{
            "known_presences": known,
            "voicemail_new": 2,
            "chat_unread": 2,
            "missed_calls": 3,
            "agent": AgentState("1", "2001", True, queues=(AgentQueue("1", "Support", True), AgentQueue("2", "Sales"))),
            "switchboards": (Switchboard("1", "Reception", (WaitingCall("1", "Amélie Laurent", "+33123450001"),
                                                            WaitingCall("2", "", "+4915112345678", held=True))),),
            "faxes": (FaxJob("1", "+33123450009", "/home/robin/contract.pdf", "sending"),
                      FaxJob("2", "+33123450010", "/home/robin/offer.pdf", "failed", "The number is busy.")),
        }
        | fields
    )  # fmt: skip
    pages = stage.controller.pages
    pages["FindContacts"] = contacts_page
    pages["FindCalls"] = calls_page
    pages["FindVoicemails"] = voicemails()
    pages["FindRooms"] = rooms()
    pages["FindChatRooms"] = chat_rooms()
    pages["FindChatMessages"] = chat_messages
    stage.controller.set_account(state)
    return state


def _call(stage: Any, call_id: str = "phone-1", *, seconds: int = 95, **fields: Any) -> Any:
    state = _fa().phone_call(call_id, **fields)
    if state.phone.answered_at is not None:
        at = _now() - seconds * 1000
        state = replace(state, joined_at=at, phone=replace(state.phone, answered_at=at))
    stage.controller.set(state)
    return state


@scene("sign-in")
async def _sign_in(stage: Any) -> None:
    stage.window.phone.sign_in()
    view = stage.window.phone.view("sign_in")
    view.server.setText("phone.example.org")
    view.user.setText("robin")


@scene("sign-in-refused")
async def _sign_in_refused(stage: Any) -> None:
    from app.calls.accounts import AccountPhase
    from app.calls.model import Failure

    await _sign_in(stage)
    view = stage.window.phone.view("sign_in")
    view.password.setText("secret")
    view.submit()
    await _settle()
    failure = Failure("wrong_credentials", "The user name or the password is wrong.", "401 Unauthorized")
    stage.controller.update_account(phase=AccountPhase.FAILED, failure=failure)


@scene("accounts")
async def _accounts(stage: Any) -> None:
    from app.calls.accounts import AccountPhase, Forward, Registration
    from app.calls.model import Failure

    account(
        stage, forwards=(Forward("unconditional"), Forward("busy", True, "1042"), Forward("noanswer", False, "*98"))
    )
    stage.controller.set_account(
        _fa().account("account-2", user="robin@lab", display_name="Robin (lab)", server="pbx.example.com",
                      phase=AccountPhase.EXPIRED, registration=Registration.NONE,
                      failure=Failure("expired", "The server no longer accepts this sign-in. Sign in again."))
    )  # fmt: skip
    stage.window.phone.go_accounts()


@scene("calls")
async def _calls(stage: Any) -> None:
    account(stage)
    stage.window.phone.go("calls")
    await _settle()
    stage.window.phone.view("calls").dial.search.field.setText("1042")


@scene("dial-name")
async def _dial_name(stage: Any) -> None:
    account(stage)
    stage.window.phone.go("calls")
    await _settle()
    stage.window.phone.view("calls").dial.search.field.setText("pri")
    await _settle()


@scene("calls-unreachable")
async def _calls_lost(stage: Any) -> None:
    from app.calls.accounts import Registration

    account(stage, registration=Registration.LOST)
    stage.window.phone.go("calls")


@scene("directory")
async def _directory(stage: Any) -> None:
    account(stage)
    stage.window.phone.go("contacts")
    await _settle()
    page = stage.window.phone.view("contacts")
    page.listing.list.painter_.hovered = 2


@scene("directory-empty")
async def _directory_empty(stage: Any) -> None:
    account(stage)
    stage.controller.pages["FindContacts"] = ()
    stage.window.phone.go("contacts")


@scene("voicemail")
async def _voicemail(stage: Any) -> None:
    account(stage)
    stage.controller.pages["FetchAudio"] = (silence(),)
    stage.window.phone.go("voicemail")
    await _settle()
    page = stage.window.phone.view("voicemail")
    page.play(voicemails()[0])
    await _settle()


def silence(seconds: int = 24) -> bytes:
    """A WAV file of nothing, for the player."""
    import io
    import wave

    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000 * seconds))
    return out.getvalue()


@scene("chat")
async def _chat(stage: Any) -> None:
    from app.calls.model import Failure
    from app.vendors.base import ActionRefused

    account(stage)
    stage.window.phone.go("chat")
    await _settle()
    page = stage.window.phone.view("chat")
    page.open_room(page.rooms[0])
    await _settle()
    stage.controller.account_refusals["SendChatMessage"] = ActionRefused(
        Failure("network", "The message was not delivered.")
    )
    page.panel.edit.setPlainText("I bring the contract")
    page.panel.send()


@scene("rooms")
async def _rooms(stage: Any) -> None:
    account(stage)
    stage.window.phone.go("rooms")


@scene("services")
async def _services(stage: Any) -> None:
    account(stage)
    stage.window.phone.go("services")


@scene("ringing")
async def _ringing(stage: Any) -> None:
    from app.calls.model import CallPhase

    account(stage)
    stage.window.phone._placed(_call(stage, phase=CallPhase.RINGING).call_id)


@scene("call")
async def _in_call(stage: Any) -> None:
    account(stage)
    state = _call(stage, recording="active")
    people = dict(state.participants)
    people["remote"] = replace(people["remote"], quality=92)
    from app.calls.model import frozen_map

    stage.controller.set(replace(state, participants=frozen_map(people)))
    stage.window.phone._placed(state.call_id)


async def _two(stage: Any) -> None:
    account(stage)
    _call(stage, "phone-2", name="Tomás Herrera", number="1001", seconds=340, held=True)
    stage.window.phone.hub.held_since["phone-2"] = _now() - 42_000
    stage.window.phone._placed(_call(stage).call_id)
    await _settle()


@scene("two-calls")
async def _two_calls(stage: Any) -> None:
    await _two(stage)


@scene("keypad")
async def _keypad(stage: Any) -> None:
    await _two(stage)
    stage.window.phone.call_view.open_panel("keypad")
    for digit in "42#":
        stage.window.phone.call_view.type_digit(digit)


@scene("transfer")
async def _transfer(stage: Any) -> None:
    await _two(stage)
    stage.window.phone.call_view.open_panel("transfer")
    await _settle()


@scene("transfer-choice")
async def _transfer_choice(stage: Any) -> None:
    from ui.phone.search import Target

    await _two(stage)
    stage.window.phone.call_view.open_panel("transfer")
    stage.window.phone.call_view.panels["transfer"].pick(Target("1003", "Priya Raman", "extension"))


@scene("transfer-consulting")
async def _transfer_consulting(stage: Any) -> None:
    from app.calls.phone import Transfer

    await _transfer_choice(stage)
    stage.controller.change_phone("phone-1", held=True, transfer=Transfer("1003", "answered"))


@scene("video")
async def _video(stage: Any) -> None:
    from app.calls.model import LocalMedia, MediaKind, Source, SourceContent, frozen_map

    account(stage)
    state = _call(stage, video=True, local=LocalMedia(microphone_muted=False, camera_muted=False))
    source = Source("p1-v0", "remote", MediaKind.VIDEO, SourceContent.CAMERA, muted=False, receiving=True)
    stage.controller.set(replace(state, sources=frozen_map({"p1-v0": source})))
    stage.window.phone._placed(state.call_id)


@scene("room")
async def _room(stage: Any) -> None:
    account(stage)
    state = stage.fakes.meeting(5, speaker=1)
    joined = _now() - 724_000
    phone = _fa().phone_call(video=True).phone
    phone = replace(phone, remote_name="Team room", remote_number="9001", answered_at=joined)
    stage.controller.set(replace(state, vendor="wazo", joined_at=joined, phone=phone))
    stage.window.phone._placed(state.call_id)


@scene("bar")
async def _bar(stage: Any) -> None:
    await _two(stage)
    stage.window.phone.go("contacts")
    await _settle()


@scene("incoming")
async def _incoming(stage: Any) -> None:
    from app.calls.model import CallPhase
    from app.calls.phone import Direction

    account(stage)
    _call(stage, phase=CallPhase.INCOMING, direction=Direction.INCOMING, offers_video=True, diverted_by=("Reception",))
    stage.extra.append(stage.window.phone.incoming.first())
