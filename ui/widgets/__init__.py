"""Controls that every view is made of. They paint themselves from :mod:`ui.theme` and hold no call state."""

from ui.widgets.buttons import CallButton, IconButton, PushButton
from ui.widgets.fields import ComboBox, PasswordField, SearchField, Switch, TextField
from ui.widgets.focus import FocusRing
from ui.widgets.marks import Avatar, Badge, LevelMeter, Pill, initials
from ui.widgets.menus import Menu
from ui.widgets.panel import SidePanel
from ui.widgets.text import Line, label, plain
from ui.widgets.toast import Toast, ToastMessage, ToastStack

__all__ = [
    "Avatar",
    "Badge",
    "CallButton",
    "ComboBox",
    "FocusRing",
    "IconButton",
    "LevelMeter",
    "Line",
    "Menu",
    "PasswordField",
    "Pill",
    "PushButton",
    "SearchField",
    "SidePanel",
    "Switch",
    "TextField",
    "Toast",
    "ToastMessage",
    "ToastStack",
    "initials",
    "label",
    "plain",
]
