"""wazo-call-logd, wazo-agentd, wazo-webhookd, wazo-amid (wazo.md 7.6, 7.7, 7.10)."""

from __future__ import annotations

import csv
import io
import re
import uuid
from typing import Any

from app.sandbox.wazo.http import NO_CONTENT, ApiError, Call, Reply, Service, not_found, page
from app.sandbox.wazo.sounds import speech_like_wav

call_logd = Service("call-logd/1.0", "A")
agentd = Service("agentd/1.0", "D")
webhookd = Service("webhookd/1.0", "A")
amid = Service("amid/1.0", "A")
SEARCHED = ("source_name", "source_extension", "destination_name", "destination_extension")
ORDERS = ("id", "start", "end", "duration", "source_name", "destination_name", "call_direction", "call_status")
NUMBER = re.compile(r"_?[0-9]+_?")
RECORDING_HZ = 520.0


# ---------------------------------------------------------------------- call-logd


def _peer(record: dict[str, Any], me: str) -> str:
    mine = record["source_user_uuid"] == me
    return str(record["destination_extension"] if mine else record["source_extension"])


def _matching(call: Call) -> list[dict[str, Any]]:
    query, me = call.query, call.me.uuid
    found = list(call.me.cdr)
    if number := query.get("number", ""):
        if not NUMBER.fullmatch(number):
            raise ApiError(400, "Sent data is invalid", "invalid-data", number={"message": "Not a valid number."})
        pattern = re.compile(number.replace("_", ".*"))
        keys = ("source_extension", "destination_extension")
        found = [r for r in found if any(pattern.fullmatch(str(r[k])) for k in keys)]
    start, until = query.get("from", "").replace(" ", "+"), query.get("until", "").replace(" ", "+")
    found = [r for r in found if r["start"] >= start.replace("Z", "+00:00")] if start else found
    found = [r for r in found if r["start"] < until.replace("Z", "+00:00")] if until else found
    if direction := query.get("call_direction", ""):
        found = [r for r in found if r["call_direction"] == direction]
    status = query.get("call_status", "")
    found = [r for r in found if r["call_status"] == status] if status else [
        r for r in found if r["call_status"] != "blocked"
    ]  # fmt: skip
    if query.get("recorded", "").lower() == "true":
        found = [r for r in found if r["recordings"]]
    if conversation := query.get("conversation_id", ""):
        found = [r for r in found if r["conversation_id"] == conversation]
    if first := query.get("from_id", ""):
        found = [r for r in found if first.isdigit() and r["id"] >= int(first)]
    if query.get("distinct") == "peer_exten":
        newest: dict[str, dict[str, Any]] = {}
        for record in sorted(found, key=lambda r: str(r["start"]), reverse=True):
            newest.setdefault(_peer(record, me), record)
        found = list(newest.values())
    return found


@call_logd.route("GET", "users/me/cdr", "call-logd.users.me.cdr.read")
def records(call: Call) -> Any:
    found = _matching(call)
    answer = page(call, found, order="start", direction="desc", columns=ORDERS, search=SEARCHED)
    answer["total"] = len(call.me.cdr)
    if call.query.get("format") == "csv" or "text/csv" in call.request.headers.get("Accept", ""):
        out = io.StringIO()
        writer = csv.DictWriter(out, list(answer["items"][0]) if answer["items"] else ["id"])
        writer.writeheader()
        writer.writerows(answer["items"])
        return Reply(200, body=out.getvalue().encode(), content_type="text/csv")
    return answer


@call_logd.route("GET", "users/me/cdr/{cdr}", "call-logd.users.me.cdr.{cdr}.read")
def record(call: Call) -> Any:
    found = next((r for r in call.me.cdr if str(r["id"]) == call.params["cdr"]), None)
    if found is None:
        raise not_found("No such CDR", "cdr-not-found-with-id", cdr_id=call.params["cdr"])
    return found


@call_logd.route(
    "GET", "users/me/cdr/{cdr}/recordings/{recording}/media", "call-logd.users.me.cdr.recordings.media.read"
)
def recording(call: Call) -> Reply:
    entry = record(call)
    media = next((r for r in entry["recordings"] if r["uuid"] == call.params["recording"]), None)
    if media is None:
        raise not_found("No such recording", "recording-not-found", recording_uuid=call.params["recording"])
    if media["deleted"]:
        raise ApiError(410, "Recording media file not found on the filesystem", "recording-media-not-found")
    audio = media.get("audio") or speech_like_wav(3.0, RECORDING_HZ)
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", call.request.headers.get("Range", ""))
    disposition = {"Content-Disposition": f'attachment; filename="{media["filename"]}"', "Accept-Ranges": "bytes"}
    if match is not None and int(match.group(1)) < len(audio):
        start = int(match.group(1))
        end = min(int(match.group(2) or len(audio) - 1), len(audio) - 1)
        disposition["Content-Range"] = f"bytes {start}-{end}/{len(audio)}"
        return Reply(206, body=audio[start : end + 1], content_type="audio/wav", headers=disposition)
    return Reply(200, body=audio, content_type="audio/wav", headers=disposition)


@call_logd.route("GET", "voicemails/transcriptions", "call-logd.voicemails.transcriptions.read")
def transcriptions(call: Call) -> Any:
    items = [
        {"message_id": m["id"], "voicemail_id": user.id + 100, "transcription": m["transcription"]["text"]}
        for user in call.state.users.values()
        for m in user.voicemails
        if m["transcription"]
    ]
    return page(call, items)


# ---------------------------------------------------------------------- agentd


def _own(call: Call) -> dict[str, Any]:
    if call.me.agent is None:
        raise ApiError(404, "no such agent")
    return call.me.agent


def _named(call: Call) -> dict[str, Any]:
    for user in call.state.users.values():
        if user.agent and call.params["agent"] == str(user.agent["id" if call.params["by"] == "id" else "number"]):
            return user.agent
    raise ApiError(404, "no such agent")


def _status(call: Call, agent: dict[str, Any]) -> dict[str, Any]:
    return {**agent, "tenant_uuid": call.state.tenant_uuid, "origin_uuid": call.state.stack_uuid}


def _login(call: Call, agent: dict[str, Any], exten: str, context: str, interface: str) -> Reply:
    if agent["logged"]:
        raise ApiError(409, "already logged")
    agent.update(logged=True, extension=exten, context=context, state_interface=interface)
    for queue in agent["queues"]:
        queue["logged"] = True
    _changed(call, agent, "agent_status_update", {"status": "logged_in"})
    return NO_CONTENT


def _logoff(call: Call, agent: dict[str, Any]) -> Reply:
    if not agent["logged"]:
        raise ApiError(409, "not logged in")
    agent.update(logged=False, extension=None, context=None, state_interface=None, paused=False, paused_reason=None)
    for queue in agent["queues"]:
        queue["logged"] = False
    _changed(call, agent, "agent_status_update", {"status": "logged_out"})
    return NO_CONTENT


def _pause(call: Call, agent: dict[str, Any], paused: bool) -> Reply:
    if not agent["logged"]:
        raise ApiError(409, "not logged in")
    reason = call.body.get("reason") if paused else None
    agent.update(paused=paused, paused_reason=reason)
    for queue in agent["queues"]:
        queue.update(paused=paused, paused_reason=reason)
        data = {"agent_number": agent["number"], "paused": paused, "paused_reason": reason, "queue": queue["name"]}
        _changed(call, agent, "agent_paused" if paused else "agent_unpaused", data)
    return NO_CONTENT


def _changed(call: Call, agent: dict[str, Any], name: str, data: dict[str, Any]) -> None:
    full = {"agent_id": agent["id"], "tenant_uuid": call.state.tenant_uuid, **data}
    call.state.bus.publish(name, full, None, "events.statuses.agents")


@agentd.route("GET", "users/me/agents", "agentd.users.me.agents.read")
def own_agent(call: Call) -> Any:
    return _status(call, _own(call))


@agentd.route("POST", "users/me/agents/login", "agentd.users.me.agents.login.create")
def own_login(call: Call) -> Reply:
    agent, wanted = _own(call), call.body.get("line_id")
    line = next((x for x in call.me.lines if x.id == wanted), None)
    if line is None:
        raise ApiError(400 if not isinstance(wanted, int) else 404, "no such line")
    return _login(call, agent, line.exten, "default", f"PJSIP/{line.name}")


@agentd.route("POST", "users/me/agents/logoff", "agentd.users.me.agents.logoff.create")
def own_logoff(call: Call) -> Reply:
    return _logoff(call, _own(call))


@agentd.route("POST", "users/me/agents/pause", "agentd.users.me.agents.pause.create")
def own_pause(call: Call) -> Reply:
    return _pause(call, _own(call), True)


@agentd.route("POST", "users/me/agents/unpause", "agentd.users.me.agents.unpause.create")
def own_unpause(call: Call) -> Reply:
    return _pause(call, _own(call), False)


@agentd.route("PUT", "users/me/agents/queues/{queue}/{action}", "agentd.users.me.agents.queues.{queue}.{action}.update")
def queue_login(call: Call) -> Reply:
    agent, action = _own(call), call.params["action"]
    queue = next((q for q in agent["queues"] if str(q["id"]) == call.params["queue"]), None)
    if queue is None or action not in ("login", "logoff"):
        raise ApiError(404, "no such queue")
    if not agent["logged"]:
        raise ApiError(409, "not logged in")
    queue["logged"] = action == "login"
    name = "user_agent_queue_logged_in" if queue["logged"] else "user_agent_queue_logged_off"
    call.state.bus.publish(
        name, {"agent_id": agent["id"], "queue_id": queue["id"]}, [call.me.uuid], "events.users.me.agents"
    )
    return NO_CONTENT


@agentd.route("GET", "agents/by-{by}/{agent}", "agentd.agents.by-{by}.{agent}.read")
def agent_status(call: Call) -> Any:
    return _status(call, _named(call))


@agentd.route("POST", "agents/by-{by}/{agent}/{action}", "agentd.agents.by-{by}.{agent}.{action}.create")
def agent_action(call: Call) -> Reply:
    agent, action = _named(call), call.params["action"]
    if action == "login":
        exten = call.body.get("extension")
        if call.state.user_of_exten(str(exten)) is None:
            raise ApiError(404, "no such extension and context")
        return _login(call, agent, str(exten), str(call.body.get("context", "default")), f"Local/{exten}")
    if action == "logoff":
        return _logoff(call, agent)
    if action in ("pause", "unpause"):
        return _pause(call, agent, action == "pause")
    raise ApiError(404, "Not Found")


# ---------------------------------------------------------------------- webhookd


@webhookd.route("GET", "users/me/subscriptions", "webhookd.users.me.subscriptions.read")
def subscriptions(call: Call) -> Any:
    return page(call, list(call.me.subscriptions.values()), order="name", search=("name",))


@webhookd.route("POST", "users/me/subscriptions", "webhookd.users.me.subscriptions.create")
def subscribe(call: Call) -> Reply:
    name, events = call.text("name"), call.body.get("events")
    if not isinstance(events, list) or not events:
        raise ApiError(400, "Sent data is invalid", "invalid-data", events={"message": "Missing data"})
    entry = {"service": "http", "tags": {}, "config": {}, **call.body, "uuid": str(uuid.uuid4()), "name": name}
    entry["events_user_uuid"] = call.me.uuid
    call.me.subscriptions[entry["uuid"]] = entry
    return Reply(201, entry)


def _subscription(call: Call) -> dict[str, Any]:
    found = call.me.subscriptions.get(call.params["subscription"])
    if found is None:
        raise not_found("No such subscription", "no-such-subscription")
    return found


@webhookd.route("GET", "users/me/subscriptions/{subscription}", "webhookd.users.me.subscriptions.{subscription}.read")
def subscription(call: Call) -> Any:
    return _subscription(call)


@webhookd.route(
    "DELETE", "users/me/subscriptions/{subscription}", "webhookd.users.me.subscriptions.{subscription}.delete"
)
def unsubscribe(call: Call) -> Reply:
    del call.me.subscriptions[_subscription(call)["uuid"]]
    return NO_CONTENT


# ---------------------------------------------------------------------- amid


@amid.route("POST", "action/{action}", "amid.action.{action}.create")
def action(call: Call) -> Any:
    if call.params["action"] != "PJSIPShowEndpoint":
        return [{"Response": "Success", "Message": f"{call.params['action']} done"}]
    name = str(call.body.get("Endpoint", ""))
    contacts = call.server.registrar.contacts_of(name)
    if call.state.line_named(name) is None:
        return [{"Response": "Error", "Message": f"Unable to find object {name}"}]
    details = [
        {"Event": "ContactStatusDetail", "AOR": name, "URI": c.uri, "Status": "Reachable", "EndpointName": name}
        for c in contacts
    ]
    head = {"Response": "Success", "EventList": "start"}
    return [head, *details, {"Event": "EndpointDetailComplete", "ListItems": str(len(details))}]
