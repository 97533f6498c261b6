"""Chat of a conference: sending, delivery by reflection, replies, reactions, retraction, edits (jitsi.md 8.1)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from xml.etree.ElementTree import Element

from app.calls import events as ev
from app.calls.model import Failure, Message, frozen_map
from app.protocols.xmpp import ns
from app.protocols.xmpp.jid import resource
from app.protocols.xmpp.stanza import message
from app.protocols.xmpp.xml import el
from app.vendors.jitsi.errors import failure
from app.vendors.jitsi.room import Room
from app.vendors.jitsi.state import Context
from app.vendors.jitsi.wire import RoomMessage

MAX_KEPT = 1000
MAX_TEXT = 20_000
DELIVERY_TIMEOUT_MS = 10_000
"""The room reflects a message within a round trip; after this it counts as lost."""

OnSent = Callable[[Failure | None], None]


class Chat:
    def __init__(self, ctx: Context, room: Room) -> None:
        self._ctx = ctx
        self._room = room
        self._messages: OrderedDict[str, Message] = OrderedDict()
        self._waiting: dict[str, OnSent] = {}

    def find(self, message_id: str) -> Message | None:
        return self._messages.get(message_id)

    # ------------------------------------------------------------------ sending

    def send(self, text: str, to: str | None, reply_to: str | None, again: str | None, on_sent: OnSent) -> None:
        """Sends and shows at once; *on_sent* tells when the room has reflected it or that it was not delivered."""
        ctx = self._ctx
        id_ = again if again in self._messages and again is not None else ctx.make_id()
        reply = el("reply", ns.REPLY, {"to": reply_to, "id": reply_to}) if reply_to else None
        text = text[:MAX_TEXT]
        note = Message(
            id_, ctx.nick, ctx.local.display_name, text, ctx.now(), True, to, reply_to, delivered=to is not None
        )
        self._keep(note)
        body = el("body", ns.CLIENT, text=text)
        if to is not None:
            ctx.send(message(ctx.occupant(to), body, reply, type_="chat", id_=id_))
            on_sent(None)
            return
        self._waiting[id_] = on_sent
        ctx.send(message(ctx.room_jid, body, reply, type_="groupchat", id_=id_))
        ctx.after(DELIVERY_TIMEOUT_MS, lambda: self._failed(id_, failure("chat_error", "no reflection")))

    def react(self, message_id: str, emoji: str) -> None:
        target = self._messages[message_id]
        reactions = el("reactions", ns.REACTIONS, {"id": message_id}, el("reaction", ns.REACTIONS, text=emoji))
        self._send_about(target, reactions)
        if target.private_to is not None:
            self._reacted(target, self._ctx.nick, (emoji,))

    def retract(self, message_id: str) -> None:
        """Takes back a message of ours."""
        target = self._messages[message_id]
        fallback = el("fallback", ns.FALLBACK, {"for": ns.RETRACT})
        body = el("body", ns.CLIENT, text="This message was retracted.")
        self._send_about(target, el("retract", ns.RETRACT, {"id": message_id}), fallback, body)
        if target.private_to is not None:
            self._keep(replace(target, text="", retracted=True))

    def _send_about(self, target: Message, *children: Element) -> None:
        ctx = self._ctx
        to = ctx.room_jid if target.private_to is None else ctx.occupant(target.private_to)
        type_ = "groupchat" if target.private_to is None else "chat"
        stanza = message(to, type_=type_, id_=ctx.make_id())
        stanza.extend(children)
        stanza.append(el("store", ns.HINTS))
        ctx.send(stanza)

    # ------------------------------------------------------------------ receiving

    def on_message(self, received: RoomMessage) -> None:
        """A message from an occupant of the room."""
        nick = resource(received.sender)
        private = nick if received.type == "chat" else None
        if received.retracts is not None:
            self._retracted(received.retracts, nick, received)
        elif received.reaction_to is not None:
            target = self._messages.get(received.reaction_to)
            if target is not None:
                self._reacted(target, nick, received.reactions)
        elif received.replaces is not None and received.body:
            self.edited(received.replaces, nick, received.body)
        elif received.body:
            self._received(received, nick, private)

    def _received(self, received: RoomMessage, nick: str, private: str | None) -> None:
        ctx = self._ctx
        id_ = received.id or ctx.make_id()
        known = self._messages.get(id_)
        if known is not None and known.is_local and nick == ctx.nick:
            self._keep(replace(known, delivered=True, error=""))
            on_sent = self._waiting.pop(id_, None)
            if on_sent is not None:
                on_sent(None)
            return
        if known is not None and received.sent_at is not None and known.sender_id == nick:
            # The room's history, once more: we have joined again.
            return
        if known is not None:
            # Somebody else's message under a known id must not replace it.
            id_ = f"{id_}-{nick}"
        name = self._room.name_of(nick) or received.display_name
        sent_at = received.sent_at or ctx.now()
        local = nick == ctx.nick and received.sent_at is None
        self._keep(Message(id_, nick, name, received.body or "", sent_at, local, private, received.reply_to))

    def _reacted(self, target: Message, nick: str, emoji: tuple[str, ...]) -> None:
        reactions = dict(target.reactions)
        for one in emoji:
            if one and (one in reactions or len(reactions) < 32):
                reactions[one] = tuple(dict.fromkeys((*reactions.get(one, ()), nick)))
        self._keep(replace(target, reactions=frozen_map(reactions)))

    def _retracted(self, message_id: str, nick: str, received: RoomMessage) -> None:
        target = self._messages.get(message_id)
        if target is None:
            return
        member = self._room.member(nick)
        by_moderator = not nick or (member is not None and member.participant.role.value == "moderator")
        if target.sender_id == nick or by_moderator:
            self._keep(replace(target, text="", retracted=True))

    def edited(self, message_id: str, nick: str, text: str) -> None:
        target = self._messages.get(message_id)
        if target is not None and target.sender_id == nick and not target.retracted:
            self._keep(replace(target, text=text[:MAX_TEXT]))

    def system(self, text: str, name: str = "") -> None:
        self._keep(Message(self._ctx.make_id(), "", name, text[:MAX_TEXT], self._ctx.now(), system=True))

    def on_error(self, received: RoomMessage) -> None:
        """A message of ours came back."""
        details = f"{received.error.condition} {received.error.text}".strip() if received.error else ""
        problem = failure("chat_error", details)
        if received.error is not None and received.error.has("settings-error"):
            problem = failure("settings_error", details)
        if received.id in self._messages:
            self._failed(received.id, problem, always=True)
        self._ctx.emit(ev.Notice(problem.code, problem.message, "error"))

    def _failed(self, id_: str, problem: Failure, *, always: bool = False) -> None:
        on_sent = self._waiting.pop(id_, None)
        if on_sent is None and not always:
            return
        known = self._messages.get(id_)
        if known is not None:
            self._keep(replace(known, delivered=False, error=problem.message))
        if on_sent is not None:
            on_sent(problem)

    def _keep(self, note: Message) -> None:
        self._messages[note.id] = note
        while len(self._messages) > MAX_KEPT:
            self._messages.popitem(last=False)
        self._ctx.emit(ev.MessageReceived(note))
