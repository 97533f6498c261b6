"""Sentences with values in them from below the window. Made by resources/translations/build.py."""

from __future__ import annotations

# ruff: noqa: E501
# fmt: off
TEMPLATES: tuple[str, ...] = (
    "A moderator turned your {what} off.",
    "Call {target} with {vendor}",
    "Join this meeting with {vendor}",
    "Passwords are kept in {value}.",
    "The list of accounts could not be read ({strerror}).",
    "The list of accounts could not be saved ({strerror}).",
    "The list of accounts is damaged. It was kept as “{name}”.",
    "The other side asks you to call {number}.",
    "The phone server asks you to call {number}.",
    "The reservation system answered: {said}.",
    "The system's password store cannot be used ({error}); passwords are kept until you quit.",
    "{made} contacts were imported, {failed} could not be.",
    "{value} asks to join your meeting.",
    "{vendor} meeting {title} on {server}",
    "{who} turned your {what} off.",
)
