"""Words and marks for presences, registrations, phases and times, the same in every view."""

from __future__ import annotations

import time

from PySide6.QtCore import QDateTime, QLocale

from app.calls.accounts import AccountPhase, AccountState, Contact, Presence, Registration
from app.calls.model import CallPhase, CallState
from app.calls.selectors import duration_text, peer_name, talk_ms
from ui import i18n
from ui.i18n import translate
from ui.widgets.text import plain

DAY_MS = 86_400_000


def now_ms() -> int:
    return int(time.time() * 1000)


def presence_tone(presence: Presence | None) -> str:
    """Palette token of the dot; empty when nothing is known."""
    if presence is None or not presence.user_id:
        return ""
    if presence.do_not_disturb:
        return "bad"
    if presence.line in ("ringing", "progressing", "talking", "holding"):
        return "warn"
    return {"available": "good", "away": "warn", "busy": "bad"}.get(presence.state, "muted")


def presence_words(presence: Presence | None) -> str:
    if presence is None or not presence.user_id:
        return ""
    if presence.do_not_disturb:
        return translate("Phone", "Do not disturb")
    line = {
        "ringing": translate("Phone", "Phone is ringing"),
        "progressing": translate("Phone", "Calling somebody"),
        "talking": translate("Phone", "In a call"),
        "holding": translate("Phone", "In a call, on hold"),
    }.get(presence.line, "")
    words = line or state_words(presence.state)
    return f"{words} · {plain(presence.status, 120)}" if presence.status else words


def state_words(state: str) -> str:
    return {
        "available": translate("Phone", "Available"),
        "away": translate("Phone", "Away"),
        "busy": translate("Phone", "Busy"),
        "invisible": translate("Phone", "Invisible"),
    }.get(state, translate("Phone", "Unavailable"))


def account_words(state: AccountState) -> tuple[str, str]:
    """What is true of an account now, and its tone: whether calls can reach us, else why not."""
    phase = {
        AccountPhase.SIGNED_OUT: (translate("Phone", "Signed out"), "muted"),
        AccountPhase.SIGNING_IN: (translate("Phone", "Signing in…"), "accent"),
        AccountPhase.EXPIRED: (translate("Phone", "Sign in again"), "bad"),
        AccountPhase.FAILED: (translate("Phone", "Not signed in"), "bad"),
    }.get(state.phase)
    if phase is not None:
        return phase
    return {
        Registration.REGISTERED: (translate("Phone", "Ready for calls"), "good"),
        Registration.REGISTERING: (translate("Phone", "Connecting the phone…"), "accent"),
        Registration.LOST: (translate("Phone", "Phone disconnected. Trying again…"), "warn"),
        Registration.REFUSED: (translate("Phone", "Phone refused by the server"), "bad"),
        Registration.NONE: (translate("Phone", "Signed in, no line for calls"), "muted"),
    }[state.registration]


def account_name(state: AccountState) -> str:
    return plain(state.display_name or state.user)


def call_words(state: CallState, held_since: int | None = None) -> str:
    """How a phone call stands, in a word or with its time."""
    phone = state.phone
    if state.phase is CallPhase.INCOMING:
        return translate("Phone", "Incoming call")
    if state.phase is CallPhase.RINGING:
        return translate("Phone", "Ringing…")
    if state.phase in (CallPhase.CONNECTING, CallPhase.ASKING, CallPhase.IDLE):
        return translate("Phone", "Calling…")
    if state.phase is CallPhase.LEAVING:
        return translate("Phone", "Hanging up…")
    if state.phase is CallPhase.RECONNECTING:
        return translate("Phone", "Connection lost. Reconnecting…")
    if phone is not None and phone.held:
        since = held_since if held_since is not None else now_ms()
        return translate("Phone", "On hold · {time}").format(time=duration_text(now_ms() - since))
    return duration_text(talk_ms(state, now_ms()))


def peer(state: CallState) -> str:
    return plain(peer_name(state)) or translate("Phone", "Unknown caller")


def peer_number(state: CallState) -> str:
    """The number when it is not already the name."""
    number = plain(state.phone.remote_number if state.phone is not None else "")
    return "" if number == peer(state) else number


def cause_words(state: CallState) -> str:
    """Why a call ended, as a sentence; empty for an ordinary end."""
    name = peer(state)
    cause = state.phone.cause if state.phone is not None else ""
    sentence = {
        "busy": translate("Phone", "{name} is busy."),
        "declined": translate("Phone", "{name} declined the call."),
        "not_found": translate("Phone", "{name} was not found. Check the number."),
        "unavailable": translate("Phone", "{name} cannot be reached now."),
        "no_answer": translate("Phone", "{name} did not answer."),
        "elsewhere": translate("Phone", "The call was answered on another device."),
        "no_codec": translate("Phone", "{name}'s phone and this program share no audio or video format."),
        "failed": translate("Phone", "The call to {name} failed. Try again."),
    }.get(cause, "")
    if sentence:
        return sentence.format(name=name)
    return i18n.sentence(state.failure.message) if state.failure is not None else ""


def when_text(milliseconds: int, now: int | None = None) -> str:
    """Time of day for today, else weekday or date, in the person's own way of writing."""
    when = QDateTime.fromMSecsSinceEpoch(milliseconds)
    today = QDateTime.fromMSecsSinceEpoch(now if now is not None else now_ms()).date()
    locale = i18n.locale()
    days = when.date().daysTo(today)
    clock = locale.toString(when.time(), QLocale.FormatType.ShortFormat)
    if days <= 0:
        return str(clock)
    if days == 1:
        return translate("Phone", "Yesterday {time}").format(time=clock)
    if days < 7:
        return f"{locale.dayName(when.date().dayOfWeek(), QLocale.FormatType.ShortFormat)} {clock}"
    return str(locale.toString(when.date(), QLocale.FormatType.ShortFormat))


def number_of(contact: Contact) -> str:
    """The number that a plain "call" uses: the first."""
    return contact.numbers[0].number if contact.numbers else ""


def label_words(label: str) -> str:
    """Kind of a number as the source names it, translated when it is a usual one."""
    return {
        "extension": translate("Phone", "Extension"),
        "mobile": translate("Phone", "Mobile"),
        "home": translate("Phone", "Home"),
        "work": translate("Phone", "Work"),
    }.get(label.casefold(), plain(label, 40))
