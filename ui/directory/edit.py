"""Add or change a personal contact."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.calls.accounts import Contact, PhoneNumber
from ui import forms
from ui.dialogs.base import Dialog
from ui.theme import Space
from ui.widgets.fields import TextField

MAX_TEXT = 200


class ContactDialog(Dialog):
    """Signals: saved(Contact)."""

    saved = Signal(object)

    def __init__(self, contact: Contact | None = None, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        adding = contact is None or not contact.id
        title = self.tr("Add contact") if adding else self.tr("Edit contact")
        self.title.setText(title)
        self.setWindowTitle(title)
        self._contact = contact or Contact("", "personal", "", personal=True)
        self.name = TextField(self.tr("Name"))
        self.numbers = [TextField(self.tr("Number")), TextField(self.tr("Mobile number"))]
        self.email = TextField(self.tr("E-mail"))
        self.company = TextField(self.tr("Company"))
        for field in (self.name, *self.numbers, self.email, self.company):
            field.setMaxLength(MAX_TEXT)
            box = forms.column(spacing=Space.XS)
            box.addWidget(forms.label(field.accessibleName(), "caption"))
            box.addWidget(field)
            self.content.addLayout(box)
        self.name.setText(self._contact.name)
        for field, number in zip(self.numbers, self._contact.numbers, strict=False):
            field.setText(number.number)
        self.email.setText(self._contact.email)
        self.company.setText(self._contact.fields.get("company", ""))
        self.add_cancel()
        self.save = self.add_button(self.tr("Save"), self._save, "primary")
        self.name.textChanged.connect(self._changed)
        self._changed()
        self.name.setFocus()

    def _changed(self) -> None:
        self.save.set_enabled(bool(self.name.text().strip()), self.tr("Type a name first"))

    def contact(self) -> Contact:
        """What the fields say now; numbers that the form does not show stay."""
        old = self._contact.numbers
        labels = ("", "mobile")
        numbers = [
            PhoneNumber(field.text().strip(), old[place].label if place < len(old) else labels[place])
            for place, field in enumerate(self.numbers)
            if field.text().strip()
        ]
        fields = dict(self._contact.fields)
        company = self.company.text().strip()
        if company or "company" in fields:
            fields["company"] = company
        return replace(
            self._contact,
            name=self.name.text().strip(),
            numbers=(*numbers, *old[len(self.numbers) :]),
            email=self.email.text().strip(),
            fields=fields,
            personal=True,
        )

    def _save(self) -> None:
        if self.name.text().strip():
            self.accept()
            self.saved.emit(self.contact())
