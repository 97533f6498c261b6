"""What a token allows (wazo.md 1.4) and what an account therefore offers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from app.calls.accounts import Service
from app.calls.model import Capability
from app.vendors.wazo.errors import ERRORS
from app.vendors.wazo.rest_auth import Session
from app.vendors.wazo.rest_confd import Profile, SipLine

MAX_PATTERNS = 4_000
"""Entries of one access list; an administrator's has a few hundred."""


@lru_cache(maxsize=2_048)
def _pattern(pattern: str, me: str, session: str) -> re.Pattern[str]:
    words = []
    for word in pattern.split("."):
        if word == "me" and me:
            words.append(f"(?:me|{re.escape(me)})")
        elif word == "my_session" and session:
            words.append(f"(?:my_session|{re.escape(session)})")
        else:
            words.append(re.escape(word).replace(r"\*", "[^.#]*").replace(r"\#", ".*"))
    return re.compile(r"\.".join(words))


def allows(acl: Iterable[str] | None, access: str, me: str = "", session: str = "") -> bool:
    """Whether the access list grants *access*; an entry with ``!`` takes it away whatever else grants it.

    ``None``, a server that did not say, allows everything: it is the server that refuses in the end.
    """
    if acl is None:
        return True
    granted = False
    for entry in list(acl)[:MAX_PATTERNS]:
        denied = entry.startswith("!")
        if _pattern(entry.removeprefix("!"), me, session).fullmatch(access):
            if denied:
                return False
            granted = True
    return granted


ACCESS: Mapping[Service, tuple[str, ...]] = {
    Service.DIRECTORY: ("dird.directories.lookup.default.read",),
    Service.PERSONAL_CONTACTS: ("dird.personal.read",),
    Service.PRESENCE: ("chatd.users.{me}.presences.read",),
    Service.CALL_LOG: ("call-logd.users.me.cdr.read",),
    Service.VOICEMAIL: ("calld.users.me.voicemails.read", "calld.users.me.voicemails.messages.read"),
    Service.CHAT: ("chatd.users.me.rooms.read",),
    Service.MEETINGS: ("confd.users.me.meetings.read",),
    Service.FORWARDS: (
        "confd.users.{me}.forwards.unconditional.update",
        "confd.users.{me}.forwards.busy.update",
        "confd.users.{me}.update",
    ),
    Service.SWITCHBOARD: ("calld.switchboards.{any}.calls.queued.read",),
    Service.AGENT: ("agentd.users.me.agents.read",),
    Service.FAX: ("calld.users.me.faxes.create",),
    Service.RECORDING: ("calld.users.me.calls.{any}.record.start.update",),
    Service.APPLICATIONS: ("confd.applications.read",),
    Service.ADMINISTRATION: ("auth.users.read", "auth.tenants.read", "auth.policies.read", "confd.users.read"),
}
"""Any of these rights makes the service worth showing."""


def services(session: Session, profile: Profile, line: SipLine | None) -> frozenset[Service]:
    """What the window may offer: allowed by the token, and there for this user."""

    def granted(service: Service) -> bool:
        return any(
            allows(session.acl, access.format(me=profile.uuid, any="0"), profile.uuid, session.session_uuid)
            for access in ACCESS[service]
        )

    there = {service for service in ACCESS if granted(service)}
    if line is not None:
        there |= {Service.CALLS}
        if line.video:
            there.add(Service.VIDEO)
        there.add(Service.ROOMS)
    else:
        there -= {Service.RECORDING}
    if not profile.agent_id:
        there.discard(Service.AGENT)
    if not profile.switchboards:
        there.discard(Service.SWITCHBOARD)
    if not profile.recording:
        there.discard(Service.RECORDING)
    there.add(Service.API_REQUESTS)
    return frozenset(there)


NEEDS: Mapping[str, Service] = {
    "SetPresence": Service.PRESENCE,
    "WatchPresences": Service.PRESENCE,
    "SetDoNotDisturb": Service.FORWARDS,
    "SetForward": Service.FORWARDS,
    "SetFavourite": Service.DIRECTORY,
    "SaveContact": Service.PERSONAL_CONTACTS,
    "DeleteContact": Service.PERSONAL_CONTACTS,
    "ImportContacts": Service.PERSONAL_CONTACTS,
    "MoveVoicemail": Service.VOICEMAIL,
    "DeleteVoicemail": Service.VOICEMAIL,
    "OpenChatRoom": Service.CHAT,
    "SendChatMessage": Service.CHAT,
    "MarkChatRead": Service.CHAT,
    "MarkCallsSeen": Service.CALL_LOG,
    "AnswerWaitingCall": Service.SWITCHBOARD,
    "HoldWaitingCall": Service.SWITCHBOARD,
    "SetAgent": Service.AGENT,
    "SendFax": Service.FAX,
    "SaveMeeting": Service.MEETINGS,
    "DeleteMeeting": Service.MEETINGS,
    "ApiRequest": Service.API_REQUESTS,
    "Administer": Service.API_REQUESTS,
}


def capabilities(offered: frozenset[Service]) -> Mapping[str, Capability]:
    """By action class name. A service that is not offered is absent, not disabled."""
    yes = Capability(True)
    no = Capability(False, ERRORS["acl_refused"].message, present=False)
    found = {action: yes if service in offered else no for action, service in NEEDS.items()}
    return found | {"ChangePassword": yes}
