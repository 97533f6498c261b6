"""Statistics panel: who spoke how long, what the connection does, each track in figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.calls import selectors
from app.calls.model import CallState
from ui.meeting.top_bar import clock_text
from ui.theme import Space, Type, font
from ui.widgets.panel import SidePanel
from ui.widgets.text import label, plain

TRACK_LIMIT = 120
"""Tracks shown; a meeting with more is read in the report."""


def field(item: Any, name: str) -> Any:
    """A field of a statistics value, which is a dataclass or a mapping."""
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def bitrate(bps: float | None) -> str:
    if bps is None:
        return "–"
    return f"{bps / 1e6:.1f} Mbit/s" if bps >= 1e6 else f"{bps / 1e3:.0f} kbit/s"


def breakable(text: str) -> str:
    """Long technical words may break after their joints, or they would be cut off in a narrow panel."""
    return "".join(char + "\u200b" if char in "_-./:" else char for char in text)


def track_line(track: Any) -> str:
    """Codec, size, rate, loss, jitter of a track in one line; what is unknown is left out."""
    words: list[str] = []
    codec = field(track, "codec")
    if codec:
        words.append(plain(str(codec), 20))
    width, height, fps = field(track, "width"), field(track, "height"), field(track, "fps")
    if width and height:
        words.append(f"{width}×{height}" + (f" · {fps:.0f} fps" if fps is not None else ""))
    words.append(bitrate(field(track, "bitrate_bps")))
    loss, jitter = field(track, "loss_fraction"), field(track, "jitter_ms")
    if loss is not None:
        words.append(f"{loss * 100:.1f} %")
    if jitter is not None:
        words.append(f"{jitter:.0f} ms")
    # Figure and unit stay on one line.
    return " · ".join(word.replace(" ", "\u00a0") for word in words)


class StatisticsPanel(SidePanel):
    """Shows the newest figures of the state, once a second at most (sessions report no more often)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent, title="")
        self.set_title(self.tr("Statistics"))
        self._shown: tuple[tuple[str, str, str], ...] = ()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(Space.L, Space.M, Space.L, Space.L)
        self._grid.setHorizontalSpacing(Space.M)
        self._grid.setVerticalSpacing(Space.S)
        self._grid.setColumnStretch(1, 1)
        content = QWidget()
        content.setProperty("look", "surface")
        content.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._grid)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName(self.tr("Statistics"))
        scroll.setWidget(content)
        scroll.setProperty("noFocusRing", True)
        self._cells: list[tuple[QLabel, QLabel]] = []
        self.body.addWidget(scroll)

    def set_state(self, state: CallState) -> None:
        if not self.isVisible():
            return
        rows = tuple(self._rows(state))
        if rows == self._shown:
            return
        if [row[0] for row in rows] != [row[0] for row in self._shown]:
            self._build(rows)
        self._shown = rows
        for (name, value), (_, left, right) in zip(self._cells, rows, strict=True):
            name.setText(left)
            value.setText(right)

    def _build(self, rows: tuple[tuple[str, str, str], ...]) -> None:
        for pair in self._cells:
            for cell in pair:
                self._grid.removeWidget(cell)
                cell.deleteLater()
        self._cells = []
        for index, (kind, _, _) in enumerate(rows):
            heading, track = kind == "heading", kind == "track"
            name = label("", "emphasis" if heading else "" if track else "muted", wrap=track)
            value = label("", "muted" if track else "", wrap=True)
            value.setFont(font(Type.BODY, tabular=True))
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            if heading or track:
                row = index * 2
                self._grid.addWidget(name, row, 0, 1, 2)
                self._grid.addWidget(value, row + 1, 0, 1, 2)
                value.setVisible(track)
            else:
                self._grid.addWidget(name, index * 2, 0, Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(value, index * 2, 1)
            self._cells.append((name, value))

    def _rows(self, state: CallState) -> Iterable[tuple[str, str, str]]:
        yield "heading", self.tr("Speaking time"), ""
        people = sorted(selectors.visible_participants(state), key=lambda one: -one.speaking_ms)
        for one in people[:TRACK_LIMIT]:
            yield "pair", plain(selectors.display_name(one, self.tr("Guest")), 40), clock_text(one.speaking_ms)
        yield "heading", self.tr("Connection"), ""
        yield from self._connection(state)
        tracks = tuple(state.stats.get("tracks") or ())[:TRACK_LIMIT]
        for direction, words in (("outbound", self.tr("Sent")), ("inbound", self.tr("Received"))):
            chosen = [track for track in tracks if field(track, "direction") == direction]
            if chosen:
                yield "heading", words, ""
            for track in chosen:
                person = state.participants.get(str(field(track, "participant_id")))
                who = plain(selectors.display_name(person, self.tr("You") if direction == "outbound" else "–"), 40)
                yield "track", f"{who} · {self._content(track)}", track_line(track)

    def _content(self, track: Any) -> str:
        names = {
            "camera": self.tr("camera"), "screen": self.tr("screen"), "microphone": self.tr("microphone"),
        }  # fmt: skip
        return names.get(str(field(track, "content")), plain(str(field(track, "kind") or ""), 20))

    def _connection(self, state: CallState) -> Iterable[tuple[str, str, str]]:
        stats = state.stats

        def milliseconds(value: Any) -> str:
            return "–" if value is None else f"{value:.0f} ms"

        def percent(value: Any) -> str:
            return "–" if value is None else f"{value * 100:.1f} %"

        yield "pair", self.tr("Round trip"), milliseconds(stats.get("rtt_ms"))
        yield "pair", self.tr("Sending"), bitrate(stats.get("send_bitrate_bps"))
        yield "pair", self.tr("Receiving"), bitrate(stats.get("receive_bitrate_bps"))
        yield "pair", self.tr("Available"), bitrate(stats.get("available_send_bps"))
        yield "pair", self.tr("Loss received"), percent(stats.get("loss_received"))
        yield "pair", self.tr("Loss sent"), percent(stats.get("loss_sent"))
        for key, words in (
            ("local_candidate", self.tr("Local address")),
            ("remote_candidate", self.tr("Remote address")),
            ("srtp_profile", self.tr("Encryption")),
        ):
            if stats.get(key):
                yield "pair", words, breakable(plain(str(stats[key]), 80))
        for person in list(selectors.visible_participants(state))[:TRACK_LIMIT]:
            if isinstance(person.stats.get("e2e_rtt_ms"), (int, float)):
                name = plain(selectors.display_name(person, self.tr("Guest")), 40)
                yield "pair", self.tr("Delay to {name}").format(name=name), milliseconds(person.stats["e2e_rtt_ms"])
        for key, value in list(state.details.items())[:20]:
            yield "pair", plain(key.replace("_", " "), 30).capitalize(), breakable(plain(value, 80))
