"""Call-control applications of wazo-calld: their calls, nodes and announcements (wazo.md 7.9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.vendors.wazo.wire import APPLICATIONS, RestRequest, parameters, path


def calls(application: str) -> RestRequest:
    return RestRequest("GET", path(APPLICATIONS, application, "calls"))


def hang_up(application: str, call: str) -> RestRequest:
    return RestRequest("DELETE", path(APPLICATIONS, application, "calls", call))


def answer(application: str, call: str) -> RestRequest:
    return RestRequest("PUT", path(APPLICATIONS, application, "calls", call, "answer"))


def switch(application: str, call: str, what: str, on: bool) -> RestRequest:
    """*what*: progress, hold or mute."""
    return RestRequest("PUT", path(APPLICATIONS, application, "calls", call, what, "start" if on else "stop"))


def music(application: str, call: str, moh: str) -> RestRequest:
    """Music on hold; an empty *moh* stops it."""
    parts = ("moh", moh, "start") if moh else ("moh", "stop")
    return RestRequest("PUT", path(APPLICATIONS, application, "calls", call, *parts))


def dtmf(application: str, call: str, digits: str) -> RestRequest:
    where = path(APPLICATIONS, application, "calls", call, "dtmf")
    return RestRequest("PUT", where, query=parameters(digits=digits))


def play(application: str, call: str, uri: str, language: str = "") -> RestRequest:
    body: dict[str, Any] = {"uri": uri}
    if language:
        body["language"] = language
    return RestRequest("POST", path(APPLICATIONS, application, "calls", call, "playbacks"), body=body)


def stop_playback(application: str, playback: str) -> RestRequest:
    return RestRequest("DELETE", path(APPLICATIONS, application, "playbacks", playback))


def nodes(application: str) -> RestRequest:
    return RestRequest("GET", path(APPLICATIONS, application, "nodes"))


def node(application: str, node_id: str) -> RestRequest:
    return RestRequest("GET", path(APPLICATIONS, application, "nodes", node_id))


def delete_node(application: str, node_id: str) -> RestRequest:
    return RestRequest("DELETE", path(APPLICATIONS, application, "nodes", node_id))


def create_node(application: str, call_ids: Sequence[str]) -> RestRequest:
    body = {"calls": [{"id": call} for call in call_ids]}
    return RestRequest("POST", path(APPLICATIONS, application, "nodes"), body=body)


def node_call(application: str, node_id: str, call: str, *, remove: bool = False) -> RestRequest:
    """Put a call into a node, or take it out without hanging up."""
    where = path(APPLICATIONS, application, "nodes", node_id, "calls", call)
    return RestRequest("DELETE" if remove else "PUT", where)


def call_into_node(
    application: str, node_id: str, context: str, extension: str, *, autoanswer: str = "", caller_id: str = ""
) -> RestRequest:
    """Call somebody into a node; with a node made of an entered call this answers that call with an extension."""
    body: dict[str, Any] = {"context": context, "exten": extension}
    if autoanswer:
        body["autoanswer"] = autoanswer
    if caller_id:
        body["displayed_caller_id_number"] = caller_id
    return RestRequest("POST", path(APPLICATIONS, application, "nodes", node_id, "calls"), body=body)


def snoops(application: str) -> RestRequest:
    return RestRequest("GET", path(APPLICATIONS, application, "snoops"))
