"""Recent meetings: a row each, one click to join again, copy the link, remove."""

from __future__ import annotations

from PySide6.QtCore import QDate, QDateTime, QLocale, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.controller.api import RecentMeeting
from ui import forms, i18n
from ui.theme import Space

MAX_ROWS = 30
"""Older meetings stay in the history; a start page of hundreds of rows would hide the newest."""


def when_text(milliseconds: int, now: QDateTime | None = None) -> str:
    """``Today, 14:05``, ``Yesterday, 09:30``, ``Tuesday, 10:00`` within a week, else the date."""
    when = QDateTime.fromMSecsSinceEpoch(milliseconds)
    today: QDate = (now or QDateTime.currentDateTime()).date()
    days = when.date().daysTo(today)
    locale = i18n.locale()
    time = locale.toString(when.time(), QLocale.FormatType.ShortFormat)
    if days == 0:
        day = i18n.translate("RecentList", "Today")
    elif days == 1:
        day = i18n.translate("RecentList", "Yesterday")
    elif 1 < days < 7:
        day = locale.standaloneDayName(when.date().dayOfWeek())
        day = day[:1].upper() + day[1:]
    else:
        day = locale.toString(when.date(), QLocale.FormatType.ShortFormat)
    return i18n.translate("RecentList", "{day}, {time}").format(day=day, time=time)


class RecentRow(QFrame):
    """Signals: joined(), copied(), removed()."""

    joined = Signal()
    copied = Signal()
    removed = Signal()

    def __init__(self, meeting: RecentMeeting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.meeting = meeting
        title = " ".join(meeting.title.split()) or meeting.address.room or meeting.address.url
        self.setProperty("look", "card")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(title)
        self.setToolTip(meeting.address.url)
        name = forms.ElidedLabel(title, strong=True)
        detail = forms.ElidedLabel(f"{meeting.address.server} · {when_text(meeting.joined_at)}", muted=True)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addStretch(1)
        texts.addWidget(name)
        texts.addWidget(detail)
        texts.addStretch(1)
        self.join_button = forms.push_button(self.tr("Join again"), self.joined.emit)
        self.join_button.setAccessibleName(self.tr("Join {title} again").format(title=title))
        self.copy_button = forms.icon_button("copy", self.tr("Copy link"), self.copied.emit)
        self.copy_button.setAccessibleName(self.tr("Copy the link of {title}").format(title=title))
        self.remove_button = forms.icon_button("x", self.tr("Remove from the list"), self.removed.emit)
        self.remove_button.setAccessibleName(self.tr("Remove {title} from the list").format(title=title))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.L, Space.S, Space.S, Space.S)
        layout.setSpacing(Space.XS)
        layout.addWidget(forms.icon_label("video"))
        layout.addSpacing(Space.S)
        layout.addLayout(texts, 1)
        layout.addSpacing(Space.S)
        layout.addWidget(self.join_button)
        layout.addWidget(self.copy_button)
        layout.addWidget(self.remove_button)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.joined.emit()
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.removed.emit()
            return
        super().keyPressEvent(event)


class RecentList(QWidget):
    """Signals:
    joined(Address), copied(str url), removed(str url).
    """

    joined = Signal(object)
    copied = Signal(str)
    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[RecentRow] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(Space.S)
        self.heading = forms.label(self.tr("Recent"), "emphasis")
        self._layout.addWidget(self.heading)

    def show_meetings(self, meetings: tuple[RecentMeeting, ...]) -> None:
        for row in self.rows:
            row.setParent(None)
            row.deleteLater()
        self.rows.clear()
        for meeting in meetings[:MAX_ROWS]:
            row = RecentRow(meeting, self)
            row.joined.connect(lambda m=meeting: self.joined.emit(m.address))
            row.copied.connect(lambda m=meeting: self.copied.emit(m.address.url))
            row.removed.connect(lambda m=meeting: self.removed.emit(m.address.url))
            self._layout.addWidget(row)
            self.rows.append(row)
        self.setVisible(bool(self.rows))
