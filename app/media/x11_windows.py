"""The windows of an X11 desktop, asked of the X server through libxcb.

QtMultimedia lists no windows on X11 in the supported versions. libxcb is on every machine where Qt shows a window, and
unlike Xlib it reports errors (a window that closes while it is asked about) instead of ending the process.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int16, c_uint8, c_uint16, c_uint32, c_void_p
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)

MAX_WINDOWS = 100
MAX_TITLE_BYTES = 800
_ANY_TYPE = 0
_VIEWABLE = 2
_INPUT_OUTPUT = 1
_LEAST_SIZE = 8
"""Smaller windows are helpers that nobody wants to share."""


@dataclass(frozen=True, slots=True)
class X11Window:
    id: int
    title: str
    width: int
    height: int


class _Cookie(Structure):
    _fields_ = [("sequence", c_uint32)]


class _ScreenIterator(Structure):
    _fields_ = [("data", POINTER(c_uint32)), ("rem", c_int), ("index", c_int)]


class _AtomReply(Structure):
    _fields_ = [("head", c_uint32 * 2), ("atom", c_uint32)]


class _GeometryReply(Structure):
    _fields_ = [("head", c_uint32 * 2), ("root", c_uint32), ("x", c_int16), ("y", c_int16)]
    _fields_ += [("width", c_uint16), ("height", c_uint16), ("border", c_uint16)]


class _AttributesReply(Structure):
    _fields_ = [("head", c_uint32 * 2), ("visual", c_uint32), ("window_class", c_uint16), ("gravities", c_uint8 * 2)]
    _fields_ += [("backing", c_uint32 * 2), ("save_under", c_uint8), ("installed", c_uint8), ("map_state", c_uint8)]


@functools.cache
def _library() -> Any | None:
    name = ctypes.util.find_library("xcb") or "libxcb.so.1"
    try:
        xcb: Any = ctypes.CDLL(name)
    except OSError as error:
        logger.info("no libxcb, windows cannot be listed: %s", error)
        return None
    xcb.xcb_connect.restype = c_void_p
    xcb.xcb_connect.argtypes = [c_char_p, c_void_p]
    xcb.xcb_connection_has_error.argtypes = [c_void_p]
    xcb.xcb_disconnect.argtypes = [c_void_p]
    xcb.xcb_get_setup.restype = c_void_p
    xcb.xcb_get_setup.argtypes = [c_void_p]
    xcb.xcb_setup_roots_iterator.restype = _ScreenIterator
    xcb.xcb_setup_roots_iterator.argtypes = [c_void_p]
    requests: dict[str, tuple[list[Any], Any]] = {
        "intern_atom": ([c_uint8, c_uint16, c_char_p], POINTER(_AtomReply)),
        "get_property": ([c_uint8, c_uint32, c_uint32, c_uint32, c_uint32, c_uint32], c_void_p),
        "get_geometry": ([c_uint32], POINTER(_GeometryReply)),
        "get_window_attributes": ([c_uint32], POINTER(_AttributesReply)),
    }
    for request, (arguments, reply) in requests.items():
        ask = getattr(xcb, f"xcb_{request}")
        ask.argtypes, ask.restype = [c_void_p, *arguments], _Cookie
        answer = getattr(xcb, f"xcb_{request}_reply")
        answer.argtypes, answer.restype = [c_void_p, _Cookie, POINTER(c_void_p)], reply
    xcb.xcb_get_property_value.argtypes, xcb.xcb_get_property_value.restype = [c_void_p], c_void_p
    xcb.xcb_get_property_value_length.argtypes = [c_void_p]
    return xcb


@functools.cache
def _libc() -> Any:
    libc = ctypes.CDLL(None)
    libc.free.argtypes = [c_void_p]
    return libc


class _Connection:
    def __init__(self, xcb: Any, connection: int) -> None:
        self._xcb, self._connection = xcb, connection
        self._atoms: dict[str, int] = {}

    @contextmanager
    def _ask(self, request: str, *arguments: Any) -> Iterator[Any]:
        """The reply, or ``None`` after an error; freed afterwards."""
        cookie = getattr(self._xcb, f"xcb_{request}")(self._connection, *arguments)
        error = c_void_p()
        reply = getattr(self._xcb, f"xcb_{request}_reply")(self._connection, cookie, byref(error))
        try:
            yield reply or None
        finally:
            for memory in (reply, error):
                if memory:
                    _libc().free(ctypes.cast(memory, c_void_p))

    def root(self) -> int:
        screens = self._xcb.xcb_setup_roots_iterator(self._xcb.xcb_get_setup(self._connection))
        return int(screens.data[0])

    def _atom(self, name: str) -> int:
        if name not in self._atoms:
            text = name.encode("ascii")
            with self._ask("intern_atom", 1, len(text), text) as reply:
                self._atoms[name] = reply.contents.atom if reply is not None else 0
        return self._atoms[name]

    def property(self, window: int, name: str, most_bytes: int) -> bytes:
        atom = self._atom(name)
        if not atom:
            return b""
        with self._ask("get_property", 0, window, atom, _ANY_TYPE, 0, most_bytes // 4) as reply:
            if reply is None:
                return b""
            length = self._xcb.xcb_get_property_value_length(reply)
            return ctypes.string_at(self._xcb.xcb_get_property_value(reply), length) if length > 0 else b""

    def size(self, window: int) -> tuple[int, int] | None:
        """Size of a window that is on screen."""
        with self._ask("get_window_attributes", window) as reply:
            shown = reply is not None and reply.contents.map_state == _VIEWABLE
            if not shown or reply.contents.window_class != _INPUT_OUTPUT:
                return None
        with self._ask("get_geometry", window) as reply:
            return None if reply is None else (reply.contents.width, reply.contents.height)


def list_windows(display: str | None = None) -> list[X11Window]:
    """Windows that the window manager knows and that are on screen, the newest last; empty without a display.

    *display* is an X display name, by default ``$DISPLAY``. Takes a few milliseconds; from any thread.
    """
    xcb = _library()
    if xcb is None:
        return []
    name = display or os.environ.get("DISPLAY", "")
    connection = xcb.xcb_connect(name.encode("utf-8"), None)
    try:
        if xcb.xcb_connection_has_error(connection):
            return []
        return _list(_Connection(xcb, connection))
    finally:
        xcb.xcb_disconnect(connection)


def _list(server: _Connection) -> list[X11Window]:
    data = server.property(server.root(), "_NET_CLIENT_LIST", MAX_WINDOWS * 4)
    found = []
    for start in range(0, len(data) - 3, 4):
        window = int.from_bytes(data[start : start + 4], sys.byteorder)
        size = server.size(window)
        if size is None or min(size) < _LEAST_SIZE:
            continue
        title = server.property(window, "_NET_WM_NAME", MAX_TITLE_BYTES)
        title = title or server.property(window, "WM_NAME", MAX_TITLE_BYTES)
        found.append(X11Window(window, title.decode("utf-8", "replace").strip(), *size))
    return found
