"""Sentences with values in them from below the window. Made by resources/translations/build.py."""

from __future__ import annotations

# ruff: noqa: E501
# fmt: off
TEMPLATES: tuple[str, ...] = (
    "A moderator turned your {what} off.",
    "The reservation system answered: {said}.",
    "{vendor} meeting {title} on {server}",
    "{who} turned your {what} off.",
)
