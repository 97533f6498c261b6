"""The chat panel: messages, who the next one is for, and the field to write it in."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.calls.actions import MarkMessagesRead, ReactToMessage, SendMessage
from app.calls.events import CallEvent
from app.calls.model import CallState, Capability, Failure, Message
from app.controller.api import ControllerApi
from ui import forms, i18n
from ui.panels.chat_list import ChatList
from ui.panels.emoji import EmojiPicker
from ui.panels.participants_model import plain_name
from ui.tasks import Tasks
from ui.theme import Space
from ui.widgets.fields import ComboBox
from ui.widgets.panel import SidePanel
from ui.widgets.text import Line, plain
from ui.widgets.toast import announce

MAX_TEXT = 10_000
"""Characters of one message; servers refuse much longer ones."""
EDITOR_LINES = 5
SPOKEN = 300
"""Characters of a new message that are announced."""


class MessageEdit(QPlainTextEdit):
    """Grows to a few lines. Enter sends, Shift+Enter starts a line.

    Signals: submitted(), cancelled(): Escape with nothing to keep.
    """

    submitted = Signal()
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(Space.XS)
        self.textChanged.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        line = self.fontMetrics().lineSpacing()
        # QPlainTextEdit's document height counts lines, not pixels.
        lines = max(1, min(EDITOR_LINES, round(self.document().size().height())))
        self.setFixedHeight(lines * line + 2 * Space.XS + 2 * Space.S - 2)

    def sizeHint(self) -> QSize:
        return QSize(200, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.insertPlainText("\n")
            else:
                self.submitted.emit()
            return
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
            return
        super().keyPressEvent(event)


class ChatPanel(SidePanel):
    """``ChatPanel(controller, call_id)``; unread messages are marked read while the panel is seen at its end.

    The draft lives as long as the panel: hide it instead of deleting it.
    """

    def __init__(self, controller: ControllerApi, call_id: str, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("Chat"))
        self._controller = controller
        self._call_id = call_id
        self._reply_to: str | None = None
        self._tasks = Tasks(self._refused)
        self._sending_text: str | None = None
        self._make_widgets()
        self._lay_out()
        self._stop = controller.subscribe(self._event)
        self.destroyed.connect(self._stop)
        self._state = controller.state(call_id)
        self._seen_once = False
        self.show_state(self._state)

    # ------------------------------------------------------------ building

    def _make_widgets(self) -> None:
        self.list = ChatList()
        self.list.reply_requested.connect(self.reply_to)
        self.list.react_requested.connect(self._react)
        self.list.pick_requested.connect(self._pick_reaction)
        self.list.retry_requested.connect(self._retry)
        self.list.private_requested.connect(self.write_to)
        self.list.at_end_changed.connect(lambda _end: self._end_changed())
        self.empty = forms.label(self.tr("No messages yet. What is written here is seen by everybody."), "muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pill = forms.push_button(self.tr("New messages"), self._to_end, kind="primary", parent=self.list)
        self.pill.hide()
        self.recipient = ComboBox(self.tr("Send to"))
        self.recipient.currentIndexChanged.connect(lambda _i: self._show_recipient())
        self.private_mark = forms.label("", "warn")
        self.reply_text = forms.ElidedLabel("", muted=True, size=12)
        self.reply_cancel = forms.icon_button("x", self.tr("Cancel reply"), self.cancel_reply, size=24, icon_size=16)
        self.problem = forms.label("", "bad")
        self.edit = MessageEdit()
        self.edit.setPlaceholderText(self.tr("Write a message"))
        self.edit.setAccessibleName(self.tr("Message"))
        self.edit.setAccessibleDescription(self.tr("Enter sends, Shift+Enter starts a new line"))
        self.edit.submitted.connect(self.send)
        self.edit.cancelled.connect(self._escape)
        self.edit.textChanged.connect(self._edited)
        self.emoji = forms.icon_button("mood-smile", self.tr("Add emoji"), self._pick_emoji)
        self.send_button = forms.icon_button("send", self.tr("Send"), self.send)

    def _lay_out(self) -> None:
        self._reply_row = QWidget()
        forms.row(
            forms.icon_label("arrow-back-up", size=16), self.reply_text, self.reply_cancel, parent=self._reply_row
        )
        self._reply_row.hide()
        self.private_mark.hide()
        self.problem.hide()
        self._to_row = QWidget()
        to_line = forms.row(forms.label(self.tr("To"), "caption", wrap=False), self.recipient, parent=self._to_row)
        to_line.setStretch(1, 1)
        writing = QWidget()
        box = QVBoxLayout(writing)
        box.setContentsMargins(Space.M, Space.S, Space.M, Space.M)
        box.setSpacing(Space.S)
        for widget in (self._reply_row, self._to_row, self.private_mark, self.problem):
            box.addWidget(widget)
        line = QHBoxLayout()
        line.setSpacing(Space.XS)
        line.addWidget(self.edit, 1)
        line.addWidget(self.emoji, 0, Qt.AlignmentFlag.AlignBottom)
        line.addWidget(self.send_button, 0, Qt.AlignmentFlag.AlignBottom)
        box.addLayout(line)
        empty = QVBoxLayout(self.list)
        empty.setContentsMargins(Space.XL, 0, Space.XL, 0)
        empty.addWidget(self.empty)
        self.body.addWidget(self.list, 1)
        self.body.addWidget(Line())
        self.body.addWidget(writing)
        self._writing = writing
        self.setFocusProxy(self.edit)
        QWidget.setTabOrder(self.list, self.recipient)
        QWidget.setTabOrder(self.recipient, self.edit)
        QWidget.setTabOrder(self.edit, self.emoji)
        QWidget.setTabOrder(self.emoji, self.send_button)

    # ------------------------------------------------------------ state

    def _event(self, state: CallState, event: CallEvent) -> None:
        if state.call_id == self._call_id:
            self.show_state(state)

    def show_state(self, state: CallState) -> None:
        before, self._state = self._state, state
        added = self.list.update_state(state)
        if state.messages is not before.messages or not self._seen_once:
            self.empty.setVisible(not state.messages)
        if state.participants is not before.participants or not self.recipient.count():
            self._fill_recipients()
        if state.capabilities is not before.capabilities or not self._seen_once:
            self._show_capabilities()
        if added and self._seen_once:
            self._arrived(added)
        self._seen_once = True

    def _arrived(self, added: tuple[Message, ...]) -> None:
        from_others = [m for m in added if not m.is_local and not m.system]
        if any(m.is_local for m in added):
            self.list.set_unread_seen()
            self._to_end()
        elif from_others and not (self.isVisible() and self.list.at_end):
            if not self.list.has_unread_mark:
                self.list.chat.set_first_unread(from_others[0].id)
            if self.isVisible():
                self._place_pill()
                self.pill.show()
        for message in from_others[:3]:
            # With the panel closed the meeting's own notice speaks.
            if self.isVisible():
                announce(self, self._spoken(message))
        self._mark_read()

    def _spoken(self, message: Message) -> str:
        name = self.list.chat.name_of(message)
        text = plain(message.text, SPOKEN)
        if message.private_to:
            return self.tr("Private message from {name}: {text}").format(name=name, text=text)
        return self.tr("{name}: {text}").format(name=name, text=text)

    def _mark_read(self) -> None:
        if self._state.unread_messages and self.isVisible() and self.list.at_end:
            self._tasks.spawn(self._controller.perform(self._call_id, MarkMessagesRead()))

    def _end_changed(self) -> None:
        if self.list.at_end:
            self.pill.hide()
            self._mark_read()

    def _to_end(self) -> None:
        self.pill.hide()
        self.list.to_end()

    def _show_capabilities(self) -> None:
        capability = self._state.capabilities.get("SendMessage", Capability(True))
        self._writing.setVisible(capability.present)
        self.edit.setEnabled(capability.allowed)
        self.edit.setToolTip("" if capability.allowed else i18n.sentence(capability.reason))
        self.emoji.set_enabled(capability.allowed, i18n.sentence(capability.reason))
        self._edited()

    # ------------------------------------------------------------ recipients

    def _fill_recipients(self) -> None:
        chosen = self.recipient.currentData()
        entries = [("", self.tr("Everyone"))]
        people = [p for p in self._state.participants.values() if not p.is_local and not p.is_hidden and not p.is_bot]
        entries += sorted(((p.id, plain_name(p)) for p in people), key=lambda e: e[1].casefold())
        now = [(self.recipient.itemData(i), self.recipient.itemText(i)) for i in range(self.recipient.count())]
        if entries == now:
            return
        self.recipient.blockSignals(True)
        self.recipient.clear()
        for identifier, name in entries:
            self.recipient.addItem(name, identifier)
        index = self.recipient.findData(chosen) if chosen else 0
        gone = bool(chosen) and index < 0
        self.recipient.setCurrentIndex(max(0, index))
        self.recipient.blockSignals(False)
        if gone:
            # A private text must not go to everybody because its reader left.
            self.recipient.setCurrentIndex(-1)
            self._show_problem(self.tr("The person you were writing to has left. Choose who gets the message."))
        self._show_recipient()

    def _show_recipient(self) -> None:
        private = bool(self.recipient.currentData())
        name = self.recipient.currentText()
        self.private_mark.setVisible(private)
        self.private_mark.setText(self.tr("Only {name} will see this message.").format(name=name) if private else "")
        self.edit.setPlaceholderText(
            self.tr("Write privately to {name}").format(name=name) if private else self.tr("Write a message")
        )
        if self.recipient.currentIndex() >= 0:
            self._show_problem("")
        self._edited()

    def write_to(self, participant_id: str) -> None:
        """Choose who gets the next message, ``""`` for everybody, and put the cursor into the field."""
        index = self.recipient.findData(participant_id)
        if index >= 0:
            self.recipient.setCurrentIndex(index)
        self.edit.setFocus()

    # ------------------------------------------------------------ writing

    def send(self) -> None:
        text = self.edit.toPlainText().strip()[:MAX_TEXT]
        if not text or not self.edit.isEnabled() or self.recipient.currentIndex() < 0:
            return
        to = self.recipient.currentData() or None
        self._sending_text = text
        action = SendMessage(text, to, self._reply_to)
        self.edit.clear()
        self.cancel_reply()
        self._show_problem("")
        self._tasks.spawn(self._controller.perform(self._call_id, action))

    def _refused(self, failure: Failure) -> None:
        """The action was not taken at all: give the text back if nothing else was written meanwhile."""
        self._show_problem(i18n.sentence(failure.message))
        shown = any(m.is_local and m.text == self._sending_text for m in self._state.messages[-20:])
        if self._sending_text and not shown and not self.edit.toPlainText():
            self.edit.setPlainText(self._sending_text)
            self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)
        self._sending_text = None

    def _show_problem(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        if sentence:
            announce(self.problem, sentence, urgent=True)

    def _edited(self) -> None:
        ready = bool(self.edit.toPlainText().strip()) and self.recipient.currentIndex() >= 0
        capability = self._state.capabilities.get("SendMessage", Capability(True))
        if not capability.allowed:
            self.send_button.set_enabled(False, i18n.sentence(capability.reason))
        else:
            self.send_button.set_enabled(ready, self.tr("Write a message first"))
        self.send_button.set_tint("accent" if ready else "")

    def _retry(self, message_id: str) -> None:
        message = self.list.chat.message(message_id)
        if message is not None:
            action = SendMessage(message.text, message.private_to, message.reply_to, message.id)
            self._tasks.spawn(self._controller.perform(self._call_id, action))

    def reply_to(self, message_id: str) -> None:
        message = self.list.chat.message(message_id)
        if message is None:
            return
        self._reply_to = message_id
        name = self.list.chat.name_of(message)
        self.reply_text.set_text(f"{name}: {plain(message.text, 200)}")
        self.reply_text.setAccessibleName(self.tr("Replying to {name}").format(name=name))
        self._reply_row.show()
        if message.private_to:
            self.write_to(message.private_to)
        self.edit.setFocus()

    def cancel_reply(self) -> None:
        self._reply_to = None
        self._reply_row.hide()

    def _escape(self) -> None:
        if self._reply_to is not None:
            self.cancel_reply()
        else:
            self.closeRequested.emit()

    def _react(self, message_id: str, emoji: str) -> None:
        self._tasks.spawn(self._controller.perform(self._call_id, ReactToMessage(message_id, emoji)))

    def _pick_reaction(self, message_id: str) -> None:
        picker = EmojiPicker(self)
        picker.chosen.connect(lambda emoji: self._react(message_id, emoji))
        picker.show_above(self.emoji)

    def _pick_emoji(self) -> None:
        picker = EmojiPicker(self)
        picker.chosen.connect(self._insert)
        picker.show_above(self.emoji)

    def _insert(self, text: str) -> None:
        self.edit.insertPlainText(text)
        self.edit.setFocus()

    # ------------------------------------------------------------ events

    def _place_pill(self) -> None:
        self.pill.adjustSize()
        self.pill.move((self.list.width() - self.pill.width()) // 2, self.list.height() - self.pill.height() - Space.M)
        self.pill.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_pill()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._state.unread_messages and not self.list.has_unread_mark:
            unread = [m for m in self._state.messages if not m.is_local and not m.system][
                -self._state.unread_messages :
            ]
            if unread:
                self.list.chat.set_first_unread(unread[0].id)
        self.list.to_end()
        self.edit.setFocus()
        self._mark_read()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not event.spontaneous():
            self.list.set_unread_seen()

    def release(self) -> None:
        """Stop listening; tasks that run are cancelled."""
        self._stop()
        self._tasks.cancel()
