"""Turns the JavaScript of ``config.js`` into data without giving it anything to reach.

The file is evaluated in QuickJS (no I/O, no modules, hard limits of time, memory and stack). Without that engine, or
when evaluation fails, a tolerant reader takes literals and simple assignments.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_SOURCE_CHARS = 1_000_000
MAX_JSON_CHARS = 1_000_000
TIME_LIMIT_S = 1.0
"""Real files evaluate in milliseconds."""
MEMORY_LIMIT_BYTES = 32_000_000
STACK_LIMIT_BYTES = 512_000
MAX_DEPTH = 20

_PRELUDE = "var window = globalThis, self = globalThis, config, interfaceConfig = {};\n"
_RESULT = (
    "JSON.stringify(typeof config === 'undefined' ? null : config,"
    " function (key, value) { return typeof value === 'function' ? undefined : value; })"
)


class ConfigError(ValueError):
    """The text defines no usable ``config``."""


def evaluate_config(source: str) -> dict[str, Any]:
    """The ``config`` object of the file. Blocks for up to :data:`TIME_LIMIT_S`; raises :class:`ConfigError`."""
    if len(source) > MAX_SOURCE_CHARS:
        raise ConfigError("config.js is too large")
    if source.lstrip()[:1] == "<":
        raise ConfigError("config.js is a web page")
    data = _with_engine(source)
    if data is None:
        data = read_literals(source)
    if not data:
        raise ConfigError("config.js defines nothing")
    return data


def _with_engine(source: str) -> dict[str, Any] | None:
    try:
        import quickjs  # type: ignore[import-untyped]
    except ImportError:
        return None
    context = quickjs.Context()
    context.set_memory_limit(MEMORY_LIMIT_BYTES)
    context.set_time_limit(TIME_LIMIT_S)
    context.set_max_stack_size(STACK_LIMIT_BYTES)
    try:
        context.eval(_PRELUDE)
        context.eval(source)
        text = context.eval(_RESULT)
        if not isinstance(text, str) or len(text) > MAX_JSON_CHARS:
            return None
        data = json.loads(text)
    except (quickjs.JSException, ValueError, RecursionError, UnicodeError):
        return None
    return data if isinstance(data, dict) else None


_TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/|<!--.*?-->
    |(?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    |(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[A-Za-z_$][\w$]*)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "undefined": None}


class _Unreadable(Exception):
    pass


def read_literals(source: str) -> dict[str, Any]:
    """Assignments of literals to ``config`` and its members; everything else in the file is skipped."""
    tokens = [(m.lastgroup, m.group()) for m in _TOKEN.finditer(source[:MAX_SOURCE_CHARS]) if m.lastgroup]
    config: dict[str, Any] = {}
    at = 0
    while at < len(tokens):
        if tokens[at] == ("word", "config") and (at == 0 or tokens[at - 1][1] != "."):
            try:
                at = _assignment(tokens, at + 1, config)
                continue
            except _Unreadable:
                pass
        at += 1
    return config


def _assignment(tokens: list[tuple[str, str]], at: int, config: dict[str, Any]) -> int:
    path: list[str] = []
    while _peek(tokens, at) == ".":
        if at + 1 >= len(tokens) or tokens[at + 1][0] != "word" or len(path) > MAX_DEPTH:
            raise _Unreadable
        path.append(tokens[at + 1][1])
        at += 2
    if _peek(tokens, at) != "=" or _peek(tokens, at + 1) == "=":
        raise _Unreadable
    value, at = _value(tokens, at + 1, 0)
    if not path:
        if isinstance(value, dict):
            config.clear()
            config.update(value)
        return at
    target = config
    for key in path[:-1]:
        child = target.get(key)
        if not isinstance(child, dict):
            child = target[key] = {}
        target = child
    target[path[-1]] = value
    return at


def _peek(tokens: list[tuple[str, str]], at: int) -> str:
    return tokens[at][1] if at < len(tokens) else ""


def _value(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[Any, int]:
    if at >= len(tokens) or depth > MAX_DEPTH:
        raise _Unreadable
    group, text = tokens[at]
    if group == "string":
        value, at = _string(text), at + 1
        while _peek(tokens, at) == "+" and at + 1 < len(tokens) and tokens[at + 1][0] == "string":
            value, at = value + _string(tokens[at + 1][1]), at + 2
        if _peek(tokens, at) == "+":
            raise _Unreadable
        return value, at
    if group == "number":
        return (float(text) if any(c in text for c in ".eE") else int(text[:30])), at + 1
    if group == "word" and text in _WORDS:
        return _WORDS[text], at + 1
    if text == "{":
        return _object(tokens, at + 1, depth)
    if text == "[":
        return _array(tokens, at + 1, depth)
    raise _Unreadable


def _skip_value(tokens: list[tuple[str, str]], at: int) -> int:
    """Position of the comma or closing bracket that ends a value which is no literal."""
    level = 0
    while at < len(tokens):
        text = tokens[at][1]
        if tokens[at][0] == "other":
            if text in "{[(":
                level += 1
            elif text in "}])":
                if level == 0:
                    return at
                level -= 1
            elif text == "," and level == 0:
                return at
        at += 1
    raise _Unreadable


def _object(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while _peek(tokens, at) != "}":
        if at + 1 >= len(tokens):
            raise _Unreadable
        group, text = tokens[at]
        if text == ",":
            at += 1
            continue
        key = _string(text) if group == "string" else text
        if tokens[at + 1][1] != ":":
            at = _skip_value(tokens, at)
            continue
        start = at + 2
        try:
            value, at = _value(tokens, start, depth + 1)
            if _peek(tokens, at) not in (",", "}"):
                raise _Unreadable
            found[key] = value
        except _Unreadable:
            at = _skip_value(tokens, start)
    return found, at + 1


def _array(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    while _peek(tokens, at) != "]":
        if at >= len(tokens):
            raise _Unreadable
        if _peek(tokens, at) == ",":
            at += 1
            continue
        start = at
        try:
            value, at = _value(tokens, start, depth + 1)
            if _peek(tokens, at) not in (",", "]"):
                raise _Unreadable
            found.append(value)
        except _Unreadable:
            at = _skip_value(tokens, start)
            if _peek(tokens, at) not in (",", "]"):
                raise
    return found, at + 1


def _string(text: str) -> str:
    simple = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
    return re.sub(r"\\(.)", lambda m: simple.get(m.group(1), m.group(1)), text[1:-1], flags=re.DOTALL)
