"""Two user agents and a lossless wire between them, under a clock of the test."""

from __future__ import annotations

from typing import Any

from app.protocols.sip.user_agent import Config, UserAgent


class Pair:
    """``a`` and ``b`` talk to each other; events gather in ``a_events`` and ``b_events``, frames in ``log``."""

    def __init__(self, a: dict[str, Any] | None = None, b: dict[str, Any] | None = None, **options: Any) -> None:
        self.now = 1000.0
        self.a = UserAgent(Config(**{"aor": "sip:alice@test.example", "display_name": "Alice", **(a or {})}))
        self.b = UserAgent(Config(**{"aor": "sip:bob@test.example", "display_name": "Bob", **(b or {})}), **options)
        self.a_events: list[Any] = []
        self.b_events: list[Any] = []
        self.log: list[tuple[str, str]] = []
        self.hold_back = False

    def run(self) -> Pair:
        """Carry frames until nobody has anything to say."""
        for _ in range(200):
            moved = False
            for name, source, sink, events in (
                ("a", self.a, self.b, self.b_events),
                ("b", self.b, self.a, self.a_events),
            ):
                for frame in source.outgoing():
                    moved = True
                    self.log.append((name, frame))
                    events.extend(sink.receive(frame, self.now))
            if not moved:
                break
        else:
            raise AssertionError("the agents never stop talking")
        self.a_events.extend(self.a.take_events())
        self.b_events.extend(self.b.take_events())
        return self

    def advance(self, seconds: float, carry: bool = True) -> Pair:
        end = self.now + seconds
        while True:
            due = [t for t in (self.a.next_timeout(), self.b.next_timeout()) if t is not None and t <= end]
            if not due:
                break
            self.now = max(self.now, min(due))
            self.a_events.extend(self.a.poll(self.now))
            self.b_events.extend(self.b.poll(self.now))
            if carry:
                self.run()
        self.now = end
        return self

    def a_last(self, kind: type) -> Any:
        return next(e for e in reversed(self.a_events) if isinstance(e, kind))

    def b_last(self, kind: type) -> Any:
        return next(e for e in reversed(self.b_events) if isinstance(e, kind))

    def lines(self, sender: str) -> list[str]:
        return [frame.split("\r\n", 1)[0] for name, frame in self.log if name == sender]

    def call(self) -> tuple[str, str]:
        """An established call from a to b; its keys at both ends."""
        from app.protocols.sip import events

        key = self.a.invite("sip:bob@test.example", "offer", self.now)
        self.run()
        theirs = self.b_last(events.IncomingCall).call
        self.b.progress(theirs, self.now)
        self.b.answer(theirs, "answer", self.now)
        self.run()
        return key, theirs
