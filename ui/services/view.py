"""What some accounts offer besides: switchboards, agent, fax, and requests to the server's own API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QPlainTextEdit,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.calls.accounts import (
    AccountEvent,
    AccountState,
    AnswerWaitingCall,
    ApiRequest,
    FaxJob,
    HoldWaitingCall,
    SendFax,
    Service,
    SetAgent,
    Switchboard,
    WaitingCall,
)
from app.calls.model import Failure
from ui import forms, i18n
from ui.phone.context import PhoneContext
from ui.phone.page import Page
from ui.theme import Space
from ui.widgets.fields import ComboBox, TextField
from ui.widgets.marks import Avatar, Pill
from ui.widgets.text import plain

WIDTH = 640
MAX_ANSWER = 200_000
"""Characters of an answer that are shown."""
MAX_SHOWN = 50


def clear(layout: QVBoxLayout) -> None:
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item is not None else None
        if widget is not None:
            widget.hide()
            widget.deleteLater()


class Section(QFrame):
    """A card; subclasses set its title."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self.column = forms.column(self, margin=Space.L, spacing=Space.M)


class SwitchboardSection(Section):
    def __init__(self, context: PhoneContext, account: Callable[[], AccountState | None]) -> None:
        super().__init__()
        self._context, self._account = context, account
        self._shown: object = None
        self.boards = QVBoxLayout()
        self.boards.setSpacing(Space.S)
        title = self.tr("Switchboard")
        self.setAccessibleName(title)
        self.column.addWidget(forms.label(title, "emphasis"))
        self.column.addLayout(self.boards)

    def show_state(self, state: AccountState) -> None:
        if state.switchboards == self._shown:
            return
        self._shown = state.switchboards
        clear(self.boards)
        if not state.switchboards:
            self.boards.addWidget(forms.label(self.tr("You are not an operator of any switchboard."), "muted"))
        for board in state.switchboards:
            self.boards.addWidget(forms.label(plain(board.name), "caption"))
            if not board.calls:
                self.boards.addWidget(forms.label(self.tr("Nobody is waiting."), "muted"))
            for call in board.calls[:MAX_SHOWN]:
                self.boards.addWidget(self._row(board, call))

    def _row(self, board: Switchboard, call: WaitingCall) -> QWidget:
        row = QWidget()
        name = plain(call.name or call.number) or self.tr("Unknown caller")
        words = forms.ElidedLabel(name if not call.name else f"{name} · {plain(call.number)}")
        state = Pill(self.tr("On hold") if call.held else self.tr("Waiting"), "warn" if call.held else "accent")
        line = forms.row(Avatar(name, 28), words, state, parent=row)
        line.setStretch(1, 1)
        if not call.held:
            hold = forms.push_button(self.tr("Hold"), lambda: self._ask(HoldWaitingCall(board.id, call.id)))
            hold.setAccessibleName(self.tr("Hold {name}").format(name=name))
            line.addWidget(hold)
        action = AnswerWaitingCall(board.id, call.id, call.held)
        answer = forms.push_button(self.tr("Answer"), lambda: self._ask(action), kind="primary")
        answer.setAccessibleName(self.tr("Answer {name}").format(name=name))
        line.addWidget(answer)
        return row

    def _ask(self, action: Any) -> None:
        account = self._account()
        if account is not None:
            self._context.ask(action, account=account.account_id)


class AgentSection(Section):
    def __init__(self, context: PhoneContext, account: Callable[[], AccountState | None]) -> None:
        super().__init__()
        self._context, self._account = context, account
        self._shown: object = self
        title = self.tr("Agent")
        self.setAccessibleName(title)
        self.pill = Pill("", "muted")
        self.login = forms.push_button("", self._toggle_login, kind="primary")
        self.pause = forms.push_button("", self._toggle_pause)
        self.reason = TextField(self.tr("Reason of the pause"), self.tr("Reason of the pause (optional)"))
        self.queues = QVBoxLayout()
        self.column.addLayout(forms.row(forms.label(title, "emphasis", wrap=False), 1, self.pill))
        line = forms.row(self.login, self.pause, self.reason, 1)
        # Without the reason the buttons must not grow.
        line.setStretch(2, 100)
        for button in (self.login, self.pause):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.column.addLayout(line)
        self.column.addLayout(self.queues)

    def show_state(self, state: AccountState) -> None:
        agent = state.agent
        if agent == self._shown:
            return
        self._shown = agent
        logged_in, paused = agent is not None and agent.logged_in, agent is not None and agent.paused
        words = self.tr("Paused") if paused else self.tr("Taking calls") if logged_in else self.tr("Logged out")
        self.pill.set_text(words, "warn" if paused else "good" if logged_in else "muted")
        self.login.setText(self.tr("Log out") if logged_in else self.tr("Log in"))
        self.pause.setText(self.tr("Go on") if paused else self.tr("Pause"))
        self.pause.setVisible(logged_in)
        self.reason.setVisible(logged_in and not paused)
        clear(self.queues)
        for queue in agent.queues[:MAX_SHOWN] if agent is not None and logged_in else ():
            command = "leave_queue" if queue.logged_in else "join_queue"
            button = forms.push_button(
                self.tr("Leave") if queue.logged_in else self.tr("Join"),
                lambda c=command, q=queue.id: self._ask(SetAgent(c, queue_id=q)),  # type: ignore[misc]
                kind="quiet",
            )
            row = QWidget()
            forms.row(forms.label(plain(queue.name), wrap=False), 1, button, parent=row)
            self.queues.addWidget(row)

    def _ask(self, action: SetAgent) -> None:
        account = self._account()
        if account is not None:
            self._context.ask(action, account=account.account_id)

    def _toggle_login(self) -> None:
        account = self._account()
        if account is not None:
            logged_in = account.agent is not None and account.agent.logged_in
            line = account.lines[0].id if account.lines else ""
            self._ask(SetAgent("logout" if logged_in else "login", line_id=line))

    def _toggle_pause(self) -> None:
        account = self._account()
        paused = account is not None and account.agent is not None and account.agent.paused
        self._ask(SetAgent("resume" if paused else "pause", "" if paused else self.reason.text().strip()))


class FaxSection(Section):
    def __init__(self, context: PhoneContext, account: Callable[[], AccountState | None]) -> None:
        super().__init__()
        self._context, self._account = context, account
        self._shown: object = None
        title = self.tr("Fax")
        self.setAccessibleName(title)
        self.number = TextField(self.tr("Fax number"), self.tr("Fax number"))
        self.path = TextField(self.tr("PDF file"), self.tr("PDF file"))
        self.pick = forms.push_button(self.tr("Choose file…"), self._pick)
        self.send = forms.push_button(self.tr("Send fax"), self.do_send, kind="primary")
        self.problem = forms.label("", "bad")
        self.problem.hide()
        self.jobs = QVBoxLayout()
        self.column.addWidget(forms.label(title, "emphasis"))
        line = forms.row(self.path, self.pick)
        line.setStretch(0, 1)
        self.column.addLayout(line)
        line = forms.row(self.number, self.send)
        line.setStretch(0, 1)
        self.column.addLayout(line)
        self.column.addWidget(self.problem)
        self.column.addLayout(self.jobs)
        for field in (self.number, self.path):
            field.textChanged.connect(lambda _t: self._edited())
        self._edited()

    def _edited(self) -> None:
        ready = bool(self.number.text().strip() and self.path.text().strip())
        self.send.set_enabled(ready, self.tr("Choose a file and type a number first"))

    def _pick(self) -> None:
        path, _kind = QFileDialog.getOpenFileName(self, self.tr("Choose a PDF file"), "", "PDF (*.pdf)")
        if path:
            self.path.setText(path)

    def do_send(self) -> None:
        self._send(SendFax(self.number.text().strip(), self.path.text().strip()))

    def _send(self, action: SendFax) -> None:
        account = self._account()
        if account is not None:
            self.problem.hide()
            self._context.ask(action, lambda _r: self._sent(), self._refused, account.account_id)

    def _sent(self) -> None:
        self.number.clear()
        self.path.clear()

    def _refused(self, failure: Failure) -> None:
        """What was typed stays."""
        self.problem.setText(i18n.sentence(failure.message))
        self.problem.show()

    def show_state(self, state: AccountState) -> None:
        if state.faxes == self._shown:
            return
        self._shown = state.faxes
        clear(self.jobs)
        for fax in reversed(state.faxes[-MAX_SHOWN:]):
            self.jobs.addWidget(self._row(fax))

    def _row(self, fax: FaxJob) -> QWidget:
        row = QWidget()
        name = f"{plain(fax.number)} · {plain(fax.path.replace(chr(92), '/').rsplit('/', 1)[-1], 80)}"
        line = forms.row(forms.icon_label("file-text"), forms.ElidedLabel(name), parent=row)
        line.setStretch(1, 1)
        if fax.state == "sending":
            progress = QProgressBar()
            progress.setRange(0, 0)
            progress.setTextVisible(False)
            progress.setFixedWidth(96)
            progress.setAccessibleName(self.tr("Sending"))
            line.addWidget(progress)
        words = {"sending": self.tr("Sending"), "sent": self.tr("Sent")}.get(fax.state, self.tr("Failed"))
        tone = {"sending": "accent", "sent": "good"}.get(fax.state, "bad")
        line.addWidget(Pill(words, tone))
        if fax.state == "failed":
            row.setToolTip(i18n.sentence(fax.error))
            action = SendFax(fax.number, fax.path, fax_id=fax.id)
            line.addWidget(forms.push_button(self.tr("Retry"), lambda: self._send(action)))
        return row


class ApiSection(Section):
    """For what has no button: a request with the account's token, and the answer."""

    def __init__(self, context: PhoneContext, account: Callable[[], AccountState | None]) -> None:
        super().__init__()
        self._context, self._account = context, account
        title = self.tr("API request (advanced)")
        self.setAccessibleName(title)
        self.method = ComboBox(self.tr("Method"))
        self.method.setMinimumContentsLength(6)
        for one in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
            self.method.addItem(one)
        self.path = TextField(self.tr("Path"), "confd/1.1/infos")
        self.body = QPlainTextEdit()
        self.body.setAccessibleName(self.tr("Body as JSON"))
        self.body.setPlaceholderText(self.tr("Body as JSON (optional)"))
        self.body.setFixedHeight(72)
        self.body.setTabChangesFocus(True)
        self.send = forms.push_button(self.tr("Send request"), self.do_send, kind="primary")
        self.problem = forms.label("", "bad")
        self.problem.hide()
        self.answer = QPlainTextEdit()
        self.answer.setReadOnly(True)
        self.answer.setAccessibleName(self.tr("Answer"))
        self.answer.setMinimumHeight(120)
        self.answer.hide()
        self.column.addWidget(forms.label(title, "emphasis"))
        line = forms.row(self.method, self.path, self.send)
        line.setStretch(1, 1)
        self.method.setMaximumWidth(110)
        self.column.addLayout(line)
        for widget in (self.body, self.problem, self.answer):
            self.column.addWidget(widget)
        self.path.returnPressed.connect(self.do_send)

    def show_state(self, state: AccountState) -> None:
        """Nothing here depends on the account."""

    def do_send(self) -> None:
        account, text = self._account(), self.body.toPlainText().strip()
        path = self.path.text().strip().lstrip("/")
        if account is None or not path:
            self.path.setFocus()
            return
        try:
            body = json.loads(text) if text else None
        except ValueError:
            self._refused(Failure("json", self.tr("The body is not valid JSON.")))
            return
        self.problem.hide()
        action = ApiRequest(self.method.currentText(), path, body)
        self._context.ask(action, self._answered, self._refused, account.account_id)

    def _answered(self, result: Any) -> None:
        try:
            text = json.dumps(result, indent=2, ensure_ascii=False, default=str)
        except (TypeError, ValueError):
            text = str(result)
        self.answer.setPlainText(text[:MAX_ANSWER])
        self.answer.show()

    def _refused(self, failure: Failure) -> None:
        self.problem.setText(" ".join(part for part in (i18n.sentence(failure.message), failure.details) if part))
        self.problem.show()


class ServicesPage(Page):
    services = (Service.SWITCHBOARD, Service.AGENT, Service.FAX, Service.API_REQUESTS)

    def __init__(self, context: PhoneContext, parent: QWidget | None = None) -> None:
        super().__init__(context, "", parent)
        self.title.setText(self.tr("More services"))
        self.setAccessibleName(self.tr("More services"))

        def account() -> AccountState | None:
            return self.account

        self.switchboard = SwitchboardSection(context, account)
        self.agent = AgentSection(context, account)
        self.fax = FaxSection(context, account)
        self.api = ApiSection(context, account)
        self._by_service: dict[Service, Any] = {
            Service.SWITCHBOARD: self.switchboard,
            Service.AGENT: self.agent,
            Service.FAX: self.fax,
            Service.API_REQUESTS: self.api,
        }
        inner = QWidget()
        inner.setMaximumWidth(WIDTH)
        column = QVBoxLayout(inner)
        column.setContentsMargins(Space.L, Space.L, Space.L, Space.L)
        column.setSpacing(Space.M)
        for section in self._by_service.values():
            column.addWidget(section)
        column.addStretch(1)
        holder = QWidget()
        line = forms.row(1, inner, 1, parent=holder)
        line.setStretch(1, 100)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(holder)
        self.body.addWidget(area, 1)

    def refresh(self) -> None:
        state = self.account
        if state is not None:
            for service, section in self._by_service.items():
                section.setVisible(service in state.services)
                section.show_state(state)

    def account_changed(self, state: AccountState, event: AccountEvent) -> None:
        if self.isVisible():
            self.refresh()
        else:
            self.mark_stale()
