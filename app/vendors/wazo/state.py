"""What is known of a signed-in account between its answers and events. Pure: facts in, account events out."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from app.calls.accounts import (
    AccountEvent,
    AccountNotice,
    AgentChanged,
    AgentState,
    ChatMessage,
    ChatMessageReceived,
    ChatRoom,
    CountsChanged,
    FaxChanged,
    FaxJob,
    Forward,
    ForwardsChanged,
    ListChanged,
    Presence,
    PresenceChanged,
    Switchboard,
    SwitchboardChanged,
    WaitingCall,
)
from app.vendors.wazo import events as wz
from app.vendors.wazo.rest_confd import Profile

MAX_PRESENCES = 2_000
"""People whose presence is remembered; more than any window shows."""
MAX_FAXES = 100
MAX_ROOMS = 2_000
MAX_DRAFTS = 200
MAX_SEEN_MESSAGES = 1_000
"""Ids of newest messages, so that one that comes by answer and by event counts once."""


class AccountCore:
    """One account's folded state. Methods return the events that tell the window."""

    def __init__(self) -> None:
        self.me = ""
        self.forwards: dict[str, Forward] = {}
        self.presences: OrderedDict[str, Presence] = OrderedDict()
        self.watched: frozenset[str] = frozenset()
        self.agent: AgentState | None = None
        self.agent_id = ""
        self.switchboards: dict[str, Switchboard] = {}
        self.faxes: OrderedDict[str, FaxJob] = OrderedDict()
        self.unread: OrderedDict[str, int] = OrderedDict()
        self.last: OrderedDict[str, ChatMessage] = OrderedDict()
        self.drafts: OrderedDict[str, ChatMessage] = OrderedDict()
        self.voicemail_new = 0
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._fax_names: OrderedDict[str, str] = OrderedDict()

    # ------------------------------------------------------------------ what answers say

    def signed_in(self, profile: Profile) -> list[AccountEvent]:
        self.me = profile.uuid
        self.agent_id = profile.agent_id
        self.forwards = {forward.kind: forward for forward in profile.forwards}
        own = self.presences.get(self.me, Presence(self.me))
        own = replace(own, do_not_disturb=profile.do_not_disturb)
        out: list[AccountEvent] = [ForwardsChanged(tuple(self.forwards.values())), *self.presence(own)]
        for board_id, name in profile.switchboards:
            known = self.switchboards.get(board_id, Switchboard(board_id, name))
            self.switchboards[board_id] = replace(known, name=name)
            out.append(SwitchboardChanged(self.switchboards[board_id]))
        return out

    def presence(self, presence: Presence) -> list[AccountEvent]:
        if presence.user_id != self.me and presence.user_id not in self.watched:
            return []
        if self.presences.get(presence.user_id) == presence:
            return []
        self.presences[presence.user_id] = presence
        self.presences.move_to_end(presence.user_id)
        while len(self.presences) > MAX_PRESENCES:
            oldest = next(iter(self.presences))
            if oldest == self.me:
                self.presences.move_to_end(oldest)
                continue
            del self.presences[oldest]
        return [PresenceChanged(presence)]

    def set_agent(self, agent: AgentState | None) -> list[AccountEvent]:
        if agent == self.agent:
            return []
        self.agent = agent
        if agent is not None:
            self.agent_id = agent.id
        return [AgentChanged(agent)]

    def waiting(self, board_id: str, held: bool, calls: tuple[WaitingCall, ...]) -> list[AccountEvent]:
        board = self.switchboards.get(board_id)
        if board is None:
            return []
        others = tuple(call for call in board.calls if call.held != held)
        merged = (*others, *calls) if held else (*calls, *others)
        changed = replace(board, calls=merged)
        self.switchboards[board_id] = changed
        return [SwitchboardChanged(changed)] if changed != board else []

    def fax(self, job: FaxJob) -> list[AccountEvent]:
        known = self.faxes.get(job.id)
        if known is not None:
            job = replace(job, number=job.number or known.number, path=job.path or known.path)
            if known.state in ("sent", "failed") and job.state == "sending":
                # The answer to our request can come after the event that ends the fax.
                return []
        if job == known:
            return []
        self.faxes[job.id] = job
        while len(self.faxes) > MAX_FAXES:
            self.faxes.popitem(last=False)
        return [FaxChanged(job)]

    def name_fax(self, server_id: str, ours: str) -> None:
        """The server's id of a fax that has an id of ours."""
        self._fax_names[server_id] = ours
        while len(self._fax_names) > MAX_FAXES:
            self._fax_names.popitem(last=False)

    def _fax_news(self, news: wz.FaxNews) -> list[AccountEvent]:
        if news.id not in self._fax_names:
            # The event can come before the answer to our request that names the fax.
            waiting = (
                job.id
                for job in self.faxes.values()
                if job.state == "sending" and job.number == news.number and job.id not in self._fax_names.values()
            )
            self.name_fax(news.id, next(waiting, news.id))
        return self.fax(FaxJob(self._fax_names[news.id], news.number, "", news.state, news.error))

    def counts(self, *, voicemail_new: int | None = None) -> list[AccountEvent]:
        if voicemail_new is None or voicemail_new == self.voicemail_new:
            return []
        self.voicemail_new = voicemail_new
        return [CountsChanged(voicemail_new=voicemail_new)]

    # ------------------------------------------------------------------ chat

    def message(self, message: ChatMessage) -> list[AccountEvent]:
        """A message that was just written, by whomever."""
        out: list[AccountEvent] = [ChatMessageReceived(message)]
        if message.id in self._seen:
            return out
        self._seen[message.id] = None
        while len(self._seen) > MAX_SEEN_MESSAGES:
            self._seen.popitem(last=False)
        self.remember_last(message)
        if not message.is_local:
            self.unread[message.room_id] = self.unread.get(message.room_id, 0) + 1
            while len(self.unread) > MAX_ROOMS:
                self.unread.popitem(last=False)
            out.append(CountsChanged(chat_unread=sum(self.unread.values())))
        out.append(ListChanged("chat_rooms", message.room_id))
        return out

    def remember_last(self, message: ChatMessage) -> None:
        known = self.last.get(message.room_id)
        if known is None or known.sent_at <= message.sent_at:
            self.last[message.room_id] = message
        while len(self.last) > MAX_ROOMS:
            self.last.popitem(last=False)

    def room(self, room: ChatRoom) -> ChatRoom:
        """*room* with what is known of its messages."""
        last = self.last.get(room.id)
        return replace(
            room,
            last_text=last.text if last else "",
            last_at=last.sent_at if last else None,
            unread=self.unread.get(room.id, 0),
        )

    def read(self, room_id: str) -> list[AccountEvent]:
        if not self.unread.pop(room_id, 0):
            return []
        return [CountsChanged(chat_unread=sum(self.unread.values())), ListChanged("chat_rooms", room_id)]

    def draft(self, message: ChatMessage) -> list[AccountEvent]:
        """A message that could not be sent; kept until it is."""
        self.drafts[message.id] = message
        while len(self.drafts) > MAX_DRAFTS:
            self.drafts.popitem(last=False)
        return [ChatMessageReceived(message)]

    def draft_sent(self, message_id: str) -> list[AccountEvent]:
        draft = self.drafts.pop(message_id, None)
        return [ListChanged("chat_messages", draft.room_id)] if draft else []

    # ------------------------------------------------------------------ what events say

    def fact(self, fact: wz.Fact) -> list[AccountEvent]:
        """Fold one fact; those of single calls and rooms are none of the account's business."""
        match fact:
            case wz.PresenceNews(presence):
                return self.presence(presence)
            case wz.DoNotDisturbNews(enabled):
                own = self.presences.get(self.me, Presence(self.me))
                return self.presence(replace(own, do_not_disturb=enabled))
            case wz.ForwardNews(kind, enabled, destination):
                self.forwards[kind] = Forward(kind, enabled, destination)
                return [ForwardsChanged(tuple(self.forwards.values()))]
            case wz.ChatNews(message):
                return self.message(message)
            case wz.Stale(what, item):
                return [] if what == "agent" else [ListChanged(what, item)]
            case wz.CallLogged():
                return [ListChanged("call_log", fact.entry.id)]
            case wz.CallNews(what="missed"):
                return [ListChanged("call_log")]
            case wz.FaxNews():
                return self._fax_news(fact)
            case wz.WaitingNews(board, held, calls):
                return self.waiting(board, held, calls)
            case wz.AgentNews():
                return self._agent(fact)
            case wz.AdmissionNews(status="pending"):
                text = f"{fact.guest_name or 'Somebody'} asks to join your meeting."
                return [AccountNotice("guest_waiting", text), ListChanged("admissions", fact.meeting_id)]
            case wz.AdmissionNews():
                return [ListChanged("admissions", fact.meeting_id)]
            case _:
                return []

    def _agent(self, fact: wz.AgentNews) -> list[AccountEvent]:
        agent = self.agent
        if agent is None or (fact.agent_id and fact.agent_id != agent.id):
            return []
        if fact.queue_id:
            queues = tuple(
                replace(queue, logged_in=bool(fact.queue_logged_in)) if queue.id == fact.queue_id else queue
                for queue in agent.queues
            )
            return self.set_agent(replace(agent, queues=queues))
        if fact.logged_in is not None:
            agent = replace(agent, logged_in=fact.logged_in)
        if fact.paused is not None:
            agent = replace(agent, paused=fact.paused, paused_reason=fact.paused_reason if fact.paused else "")
        return self.set_agent(agent)
