"""Connections and deployments: what a server's configuration and the person's settings change at the other end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import logs
from app.calls import actions as ac
from app.calls import events as ev
from app.calls.model import CallPhase, CallState
from app.protocols.xmpp import connection as xmpp_connection
from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import el, find
from app.sandbox.jitsi import JitsiSandbox
from app.sandbox.jitsi.focus import ConferenceReply
from app.sandbox.jitsi.sessions import LocalSession
from tests.e2e.desk import Desk
from tests.e2e.jitsi_call import Person, eventually
from tests.media.turn_server import TurnServer


@pytest.fixture
async def sandbox() -> AsyncIterator[JitsiSandbox]:
    async with JitsiSandbox(bots=0) as running:
        yield running


# ---------------------------------------------------------------- listeners


@pytest.mark.covers(
    "jitsi:meet",
    "jitsi:meet.init",
    "jitsi:meet.JitsiConnection",
    "jitsi:meet.events",
    "jitsi:conference",
    "jitsi:conference.addEventListener",
    "jitsi:param.conference.addEventListener.event",
    "jitsi:param.conference.addEventListener.listener",
    "jitsi:conference.removeEventListener",
    "jitsi:param.conference.removeEventListener.event",
    "jitsi:param.conference.removeEventListener.listener",
    "jitsi:conference.on",
    "jitsi:conference.off",
    "jitsi:connection.addEventListener",
    "jitsi:param.connection.addEventListener.event",
    "jitsi:param.connection.addEventListener.listener",
    "jitsi:connection.removeEventListener",
    "jitsi:param.connection.removeEventListener.event",
    "jitsi:param.connection.removeEventListener.listener",
    "jitsi:conference.removeCommandListener",
    "jitsi:param.conference.removeCommandListener.command",
)
async def test_listeners_hear_until_they_are_removed(sandbox: JitsiSandbox) -> None:
    """One listener takes what it wants by the event's type; connection, conference and commands come the same way."""
    heard: dict[str, list[ev.CallEvent]] = {"stays": [], "goes": []}

    def listener(name: str) -> Any:
        def hear(state: CallState, event: ev.CallEvent) -> None:
            assert state.call_id == desk.call_id
            if isinstance(event, (ev.PhaseChanged, ev.MessageReceived, ev.CommandReceived)):
                heard[name].append(event)

        return hear

    def kinds(name: str) -> list[type]:
        return [type(event) for event in heard[name]]

    async with Desk() as desk, Person(sandbox.url("team"), "Bob") as bob:
        desk.controller.subscribe(listener("stays"))
        remove = desk.controller.subscribe(listener("goes"))
        await desk.join(sandbox.url("team"))
        await bob.do(ac.SendMessage("one"))
        await bob.do(ac.SendCommand("shared", "1"))
        await desk.until(lambda s: s.messages and {ev.MessageReceived, ev.CommandReceived} <= set(kinds("goes")))
        phases = [event.phase for event in heard["goes"] if isinstance(event, ev.PhaseChanged)]
        assert phases[0] is CallPhase.CONNECTING
        remove()
        before = len(heard["goes"])
        await bob.do(ac.SendMessage("two"))
        await bob.do(ac.SendCommand("shared", "2"))
        sandbox.drop_connection("team", desk.id)
        await desk.until(lambda s: s.phase is CallPhase.RECONNECTING)
        await desk.until(lambda s: s.phase is CallPhase.JOINED and len(s.messages) == 2)
        await desk.until(lambda s: kinds("stays").count(ev.CommandReceived) == 2)
        assert kinds("stays").count(ev.MessageReceived) == 2
        assert len(heard["goes"]) == before


# ---------------------------------------------------------------- the stream


@pytest.mark.covers(
    "jitsi:option.connection.websocketKeepAlive",
    "jitsi:option.connection.websocketKeepAliveUrl",
    "jitsi:option.connection.clientNode",
)
async def test_keep_alive_requests_and_client_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xmpp_connection, "KEEP_ALIVE_FIRST_S", 0.01)
    async with JitsiSandbox(bots=0) as sandbox:
        url = sandbox.url("stay-awake")
        options = {"websocketKeepAlive": 20, "websocketKeepAliveUrl": url, "clientNode": "https://example.org/client"}
        async with Person(sandbox.url("team"), options=options) as ada, Person(sandbox.url("team"), "Bob") as bob:

            def asked(path: str) -> int:
                return sum(one.startswith(path) for one in sandbox.web.requests)

            await eventually(lambda: asked("/stay-awake?room") >= 3)
            # Bob keeps the server's own address and interval (a minute): once, and not again.
            await eventually(lambda: asked("/http-bind?room") == 1)

            def node(person: Person) -> str:
                caps = find(el("x", "", None, *sandbox.occupant("team", person.id).presence), "c", ns.CAPS)
                assert caps is not None
                return caps.get("node", "")

            assert node(ada) == "https://example.org/client" and node(bob) == "https://jitsi.org/jitsi-meet"


@pytest.mark.covers("jitsi:option.init.useTurnUdp", "jitsi:option.connection.useStunTurn")
async def test_relays_are_used_as_the_person_wants() -> None:
    """The relay's own count of allocations says who used it."""

    async def allocations(transport: str, **options: bool) -> int:
        async with TurnServer() as turn:
            service = {"type": "turn", "host": "127.0.0.1", "port": str(turn.port), "transport": transport}
            service |= {"username": "user", "password": "secret"}
            async with (
                JitsiSandbox(bots=1, quiet_bots=True, ice_servers=(service,)) as sandbox,
                Person(sandbox.url("team"), options=options) as ada,
            ):
                await ada.until(lambda s: s.media_state == "connected")
                return turn.allocations

    assert await allocations("udp", useTurnUdp=True) == 1
    assert await allocations("udp") == 0
    assert await allocations("tcp") == 1
    assert await allocations("tcp", useStunTurn=False) == 0


@pytest.mark.covers("jitsi:option.init.useIPv6")
async def test_ipv6_addresses_are_offered_only_if_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.media import ice

    if not ice.host_addresses(use_ipv4=False):
        pytest.skip("this machine has no IPv6 address")
    async with JitsiSandbox(bots=1, quiet_bots=True) as sandbox:
        for wanted in (True, False):
            async with Desk(network__use_ipv6=wanted) as desk:
                await desk.join(sandbox.url("team"))
                await desk.until(lambda s: s.media_state == "connected")
                (_, transport), *_ = desk.engine.opened
                assert any(":" in candidate.ip for candidate in transport.local.candidates) is wanted


# ---------------------------------------------------------------- the deployment


@pytest.mark.covers("jitsi:option.conference.focusUserJid")
async def test_focus_is_recognised_by_the_address_in_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the conference reply names no focus, only the configured address may offer media."""
    for named, outcome in (("", "result"), ("intruder@auth.meet.sandbox", "not-allowed")):
        config = {"focusUserJid": named} if named else {}
        async with JitsiSandbox(bots=1, quiet_bots=True, config=config) as sandbox:
            asked = sandbox.focus.request

            def unnamed(*arguments: Any, asked: Any = asked) -> Any:
                reply = asked(*arguments)
                if isinstance(reply, ConferenceReply):
                    reply = ConferenceReply(reply.ready, "", reply.session_id, reply.identity, reply.properties)
                return reply

            monkeypatch.setattr(sandbox.focus, "request", unnamed)
            async with Person(sandbox.url("team")) as ada:
                log = await eventually(lambda: sandbox.participants("team")[ada.id].jingle_log)
                assert log[0][0] == "session-initiate" and log[0][1] == outcome
                if not named:
                    await ada.until(lambda s: s.media_state == "connected")


@pytest.mark.covers("jitsi:option.conference.hiddenDomain")
async def test_recorders_are_not_shown(sandbox: JitsiSandbox, english: Any, qtbot: Any) -> None:
    async with Desk() as desk, Person(sandbox.url("team"), "Bob"):
        desk.open_window()
        await desk.join_by_window(sandbox.url("team"))
        await desk.seen(lambda: desk.window.meeting)
        for domain, nick in ((sandbox.options.hidden_domain, "0badc0de"), (sandbox.options.domain, "0c0ffee0")):
            session = LocalSession(f"guest@{domain}/x", lambda _stanza: None)
            sandbox.router.register(session)
            to = f"{sandbox.room_jid('team')}/{nick}"
            name = el("nick", ns.NICK, text=f"From {domain}")
            sandbox.router.route(session, el("presence", ns.CLIENT, {"to": to}, el("x", ns.MUC), name))
        desk.call_id = desk.controller.calls()[0]
        await desk.until(lambda s: {"0badc0de", "0c0ffee0"} <= set(s.participants))
        desk.window.meeting.toggle_panel("participants")
        from ui.panels.participants import ParticipantsPanel

        panel = await desk.seen(lambda: desk.window.findChild(ParticipantsPanel))
        shown = await desk.seen(lambda: [n for n in _names(panel) if "sandbox" in n])
        assert shown == ["From meet.sandbox"]


def _names(panel: Any) -> list[str]:
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QListView

    found = []
    for view in panel.findChildren(QListView):
        model = view.model()
        found += [str(model.index(row, 0).data(Qt.ItemDataRole.DisplayRole)) for row in range(model.rowCount())]
    return found


# ---------------------------------------------------------------- settings and logs


@pytest.mark.covers("jitsi:option.init.externalStorage")
async def test_settings_live_in_a_file_of_the_program(sandbox: JitsiSandbox, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    async with Desk(file) as desk:
        desk.controller.set_setting("video.preferred_codec", "H264")
    assert file.exists()
    async with Desk(file) as desk:
        await desk.join(sandbox.url("team"))
        presence = sandbox.participants("team")[desk.id].presence
        assert presence["jitsi_participant_codecList"].startswith("h264")


@pytest.fixture
def quiet_logs() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    yield
    for handler in list(root.handlers):
        if handler not in before[1]:
            root.removeHandler(handler)
            handler.close()
    root.setLevel(before[0])
    for part in ("app", "ui"):
        logging.getLogger(part).setLevel(logging.NOTSET)


@pytest.mark.covers(
    "jitsi:meet.setLogLevel",
    "jitsi:meet.logLevels",
    "jitsi:constant.logLevels.TRACE",
    "jitsi:constant.logLevels.DEBUG",
    "jitsi:constant.logLevels.INFO",
    "jitsi:constant.logLevels.LOG",
    "jitsi:constant.logLevels.WARN",
    "jitsi:constant.logLevels.ERROR",
)
@pytest.mark.logs_errors
async def test_log_level_decides_what_is_written(tmp_path: Path, quiet_logs: None, english: Any, qtbot: Any) -> None:
    """Picked in the settings window, seen in the log file."""
    from ui.settings.rows import ChoiceRow

    path = logs.set_up(tmp_path, "INFO", console=False)
    assert path is not None
    async with Desk() as desk:
        desk.open_window()
        desk.window.open_settings("diagnostics")
        rows = await desk.seen(lambda: desk.window._settings_window.findChildren(ChoiceRow))
        row = next(row for row in rows if row.setting.key == "diagnostics.log_level")
        names = list(logs.LEVELS)
        for index, chosen in enumerate(names):
            row.control.setCurrentIndex(row.control.findData(chosen))
            row.control.activated.emit(row.control.currentIndex())
            assert desk.controller.setting("diagnostics.log_level") == chosen
            for name in names:
                logging.getLogger("app.vendors.jitsi").log(logs.LEVELS[name], "%s while %s", name, chosen)
            written = await asyncio.to_thread(path.read_text)
            got = [name for name in names if f"{name} while {chosen}" in written]
            assert got == names[index:]
