"""Typed reading of settings for views."""

from __future__ import annotations

from typing import Any

from app.controller.api import ControllerApi
from app.storage.settings import SETTINGS


def value(controller: ControllerApi | None, key: str) -> Any:
    """The setting's value, its declared default while there is no controller or no value."""
    kept = controller.setting(key) if controller is not None else None
    return SETTINGS[key].default if kept is None else kept


def text(controller: ControllerApi | None, key: str) -> str:
    return str(value(controller, key))


def switch(controller: ControllerApi | None, key: str) -> bool:
    return bool(value(controller, key))


def number(controller: ControllerApi | None, key: str) -> int:
    return int(value(controller, key))
