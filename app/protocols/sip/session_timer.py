"""Session timers: the two sides show each other that a call still lives (RFC 4028)."""

from __future__ import annotations

from dataclasses import dataclass

from app.protocols.sip.message import Headers, Request, Response, split_parameters

MAX_SESSION_EXPIRES = 7 * 86_400


def session_expires(headers: Headers) -> tuple[int | None, str]:
    """Seconds and ``refresher`` (``uac``, ``uas`` or empty)."""
    value, parameters = split_parameters(headers.get("Session-Expires"))
    if not (value.isascii() and value.isdigit()) or len(value) > 9:
        return None, ""
    refresher = parameters.get("refresher", "").lower()
    return min(int(value), MAX_SESSION_EXPIRES), refresher if refresher in ("uac", "uas") else ""


@dataclass(slots=True)
class SessionTimer:
    enforce: bool = True
    interval: int = 0
    """Agreed seconds; 0: no timer."""
    ours: bool = False
    """We are the one who refreshes."""
    refresh_at: float | None = None
    expires_at: float | None = None

    def stop(self) -> None:
        self.refresh_at = self.expires_at = None

    def postpone(self, now: float, seconds: float) -> None:
        self.refresh_at = now + seconds

    def agreed(self, headers: Headers, *, sent_by_us: bool, now: float) -> None:
        """A 2xx to INVITE or UPDATE, ours or theirs, sets the timer anew (sections 7.2 and 9)."""
        interval, refresher = session_expires(headers)
        if interval is None or interval <= 0:
            self.interval = 0
            self.stop()
            return
        self.interval = interval
        # The request's sender is the uac of this transaction.
        self.ours = (refresher == "uac") == sent_by_us and refresher != ""
        self.refresh_at = now + interval / 2 if self.ours else None
        self.expires_at = now + interval - min(32.0, interval / 3) if self.enforce else None

    def offer(self, request: Request, wanted: int | None, min_se: int) -> None:
        """Ask for a timer, or repeat the agreed one with the roles as they are (section 7.4)."""
        headers = request.headers
        headers.remove("Session-Expires")
        if self.interval:
            headers.add("Session-Expires", f"{self.interval};refresher={'uac' if self.ours else 'uas'}")
        elif wanted is not None:
            headers.add("Session-Expires", str(max(wanted, min_se)))
        if self.interval or wanted is not None:
            headers.set("Min-SE", str(min_se))

    def accept(self, request: Request, response: Response, min_se: int, wanted: int | None, now: float) -> None:
        """Fill our 2xx (section 9) and set the timer."""
        interval, refresher = session_expires(request.headers)
        peer_supports = "timer" in request.headers.tokens("Supported")
        if interval is None:
            if not peer_supports and wanted is None:
                self.interval = 0
                self.stop()
                return
            if wanted is None:
                self.interval = 0
                self.stop()
                return
            asked = request.headers.number("Min-SE") or 0
            interval = max(wanted, min_se, min(asked, MAX_SESSION_EXPIRES))
        if not peer_supports:
            refresher = "uas"
        refresher = refresher or "uac"
        response.headers.set("Session-Expires", f"{interval};refresher={refresher}")
        if refresher == "uac":
            response.headers.add("Require", "timer")
        self.agreed(response.headers, sent_by_us=False, now=now)


def too_small(request: Request, min_se: int) -> bool:
    """Whether the request must be refused with 422 (section 9): only to peers that know timers."""
    interval, _ = session_expires(request.headers)
    return interval is not None and interval < min_se and "timer" in request.headers.tokens("Supported")
