"""Commands and lists for those whose token allows them: people, groups, tenants, policies, applications, agents by
number, calls on other devices (wazo.md 2.5, 7). One table each; the names are those of the official client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.calls.accounts import FindAdministration
from app.vendors.wazo import (
    rest_accessd,
    rest_agentd,
    rest_applications,
    rest_auth,
    rest_calld,
    rest_chatd,
    rest_confd,
    rest_dird,
)
from app.vendors.wazo.wire import RestRequest

Parameters = Mapping[str, Any]


class MissingParameter(Exception):
    """``name`` is what was not given."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _text(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if not isinstance(value, (str, int)) or value == "":
        raise MissingParameter(name)
    return str(value)


def _optional(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _texts(parameters: Parameters, name: str) -> tuple[str, ...]:
    value = parameters.get(name)
    if not isinstance(value, (list, tuple)) or not value:
        raise MissingParameter(name)
    return tuple(str(item) for item in value)


def _some(parameters: Parameters, *names: str) -> dict[str, Any]:
    return {name: parameters[name] for name in names if parameters.get(name) not in (None, "")}


def in_tenant(request: RestRequest, tenant: str) -> RestRequest:
    """*request* for another tenant than the token's own; an empty *tenant* leaves it."""
    return replace(request, headers={**request.headers, "Wazo-Tenant": tenant}) if tenant else request


def _emails(p: Parameters) -> RestRequest:
    address = {"address": _text(p, "email"), "main": bool(p.get("main", False))}
    return rest_auth.set_emails(_text(p, "userUuid"), [address])


def _policy(p: Parameters) -> RestRequest:
    body = {"name": _text(p, "name"), **_some(p, "description", "acl", "acl_templates")}
    return rest_auth.create("policies", body)


def _user(p: Parameters) -> RestRequest:
    body = {"username": _text(p, "username"), "password": _text(p, "password"), **_some(p, "firstname", "lastname")}
    return rest_auth.create("users", body)


def _tenant(p: Parameters) -> RestRequest:
    return rest_auth.update_tenant(_text(p, "uuid"), _some(p, "name", "contact", "phone", "address"))


def _app(build: Callable[..., RestRequest], *names: str) -> Callable[[Parameters], RestRequest]:
    return lambda p: build(_text(p, "applicationUuid"), *(_text(p, name) for name in names))


def _switch(what: str, on: bool) -> Callable[[Parameters], RestRequest]:
    return lambda p: rest_applications.switch(_text(p, "applicationUuid"), _text(p, "callId"), what, on)


def _make_call(p: Parameters) -> RestRequest:
    return rest_calld.make_call(
        _text(p, "extension"),
        from_mobile=bool(p.get("fromMobile", False)),
        line_id=_optional(p, "lineId"),
        all_lines=bool(p.get("allLines", False)),
        auto_answer=bool(p.get("autoAnswer", False)),
    )


def _relocate(p: Parameters) -> RestRequest:
    to_mobile = p.get("destination") == "mobile"
    line = "" if to_mobile else _text(p, "lineId")
    return rest_calld.relocate(_text(p, "callId"), line_id=line, to_mobile=to_mobile, contact=_optional(p, "contact"))


def _agent_login(p: Parameters) -> RestRequest:
    body = {"context": _text(p, "context"), "extension": _text(p, "extension")}
    return rest_agentd.by_number(_text(p, "agentNumber"), "login", body)


def _agent_pause(p: Parameters) -> RestRequest:
    return rest_agentd.by_number(_text(p, "agentNumber"), "pause", {"reason": _optional(p, "reason") or "parley"})


def _application_answer(p: Parameters) -> RestRequest:
    return rest_applications.answer(_text(p, "applicationUuid"), _text(p, "callId"))


def _call_into_node(p: Parameters) -> RestRequest:
    return rest_applications.call_into_node(
        _text(p, "applicationUuid"),
        _text(p, "nodeUuid"),
        _text(p, "context"),
        _text(p, "exten"),
        autoanswer=_optional(p, "autoanswer"),
        caller_id=_optional(p, "callerId"),
    )


def _node_call(remove: bool) -> Callable[[Parameters], RestRequest]:
    return lambda p: rest_applications.node_call(
        _text(p, "applicationUuid"), _text(p, "nodeUuid"), _text(p, "callId"), remove=remove
    )


def _user_policy(remove: bool) -> Callable[[Parameters], RestRequest]:
    return lambda p: rest_auth.user_policy(_text(p, "userUuid"), _text(p, "policyUuid"), remove=remove)


def _group_user(remove: bool) -> Callable[[Parameters], RestRequest]:
    return lambda p: rest_auth.group_user(_text(p, "groupUuid"), _text(p, "userUuid"), remove=remove)


COMMANDS: Mapping[str, Callable[[Parameters], RestRequest]] = {
    # wazo-auth
    "auth.createTenant": lambda p: rest_auth.create("tenants", {"name": _text(p, "name")}),
    "auth.updateTenant": _tenant,
    "auth.deleteTenant": lambda p: rest_auth.delete("tenants", _text(p, "uuid")),
    "auth.createUser": _user,
    "auth.deleteUser": lambda p: rest_auth.delete("users", _text(p, "userUuid")),
    "auth.addUserEmail": _emails,
    "auth.addUserPolicy": _user_policy(False),
    "auth.deleteUserPolicy": _user_policy(True),
    "auth.createGroup": lambda p: rest_auth.create("groups", {"name": _text(p, "name")}),
    "auth.deleteGroup": lambda p: rest_auth.delete("groups", _text(p, "groupUuid")),
    "auth.addUserGroup": _group_user(False),
    "auth.deleteUserGroup": _group_user(True),
    "auth.createPolicy": _policy,
    "auth.deletePolicy": lambda p: rest_auth.delete("policies", _text(p, "policyUuid")),
    "auth.checkToken": lambda p: rest_auth.check_token(_text(p, "token"), _optional(p, "scope")),
    "auth.deleteSession": lambda p: rest_auth.delete_session(_text(p, "sessionUuid")),
    "auth.deleteRefreshToken": lambda p: rest_auth.delete_refresh_token(_text(p, "clientId")),
    "auth.sendResetPasswordEmail": lambda p: rest_auth.reset_password(_optional(p, "username"), _optional(p, "email")),
    # wazo-confd
    "confd.updateUser": lambda p: rest_confd.update_user(
        _text(p, "userUuid"), _some(p, "firstname", "lastname", "email", "mobile_phone_number")
    ),
    # wazo-calld
    "calld.makeCall": _make_call,
    "calld.cancelCall": lambda p: rest_calld.cancel_call(_text(p, "callId")),
    "calld.relocateCall": _relocate,
    "calld.transferCall": lambda p: rest_calld.transfer(
        _text(p, "callId"), _text(p, "extension"), attended=p.get("flow") == "attended"
    ),
    "calld.confirmCallTransfer": lambda p: rest_calld.complete_transfer(_text(p, "transferId")),
    "calld.cancelCallTransfer": lambda p: rest_calld.cancel_transfer(_text(p, "transferId")),
    "calld.sendDTMF": lambda p: rest_calld.send_dtmf(_text(p, "callId"), _text(p, "digits")),
    "calld.listCalls": lambda p: rest_calld.list_calls(),
    "calld.getConferenceParticipantsAsUser": lambda p: rest_calld.room_members(_text(p, "conferenceId"), meeting=False),
    "calld.muteParticipant": lambda p: rest_calld.conference_participant(
        _text(p, "conferenceId"), _text(p, "participantId"), "unmute" if p.get("muted") is False else "mute"
    ),
    "calld.kickParticipant": lambda p: rest_calld.conference_participant(
        _text(p, "conferenceId"), _text(p, "participantId"), "kick"
    ),
    "calld.recordConference": lambda p: rest_calld.conference_record(
        _text(p, "conferenceId"), p.get("recording") is not False
    ),
    # meetings of one's own
    "confd.acceptGuest": lambda p: rest_confd.decide_admission(
        _text(p, "meetingUuid"), _text(p, "authorizationUuid"), True
    ),
    "confd.rejectGuest": lambda p: rest_confd.decide_admission(
        _text(p, "meetingUuid"), _text(p, "authorizationUuid"), False
    ),
    # wazo-agentd, older forms
    "agentd.getAgent": lambda p: rest_agentd.get_agent(_text(p, "agentId")),
    "agentd.login": _agent_login,
    "agentd.logout": lambda p: rest_agentd.by_number(_text(p, "agentNumber"), "logoff"),
    "agentd.pause": _agent_pause,
    "agentd.resume": lambda p: rest_agentd.by_number(_text(p, "agentNumber"), "unpause"),
    # chatd
    "chatd.getPresence": lambda p: rest_chatd.get_presence(_text(p, "userUuid")),
    # applications
    "application.calls": _app(rest_applications.calls),
    "application.hangupCall": _app(rest_applications.hang_up, "callId"),
    "application.answerCall": _application_answer,
    "application.startHoldCall": _switch("hold", True),
    "application.stopHoldCall": _switch("hold", False),
    "application.startMuteCall": _switch("mute", True),
    "application.stopMuteCall": _switch("mute", False),
    "application.startProgressCall": _switch("progress", True),
    "application.stopProgressCall": _switch("progress", False),
    "application.startMohCall": _app(rest_applications.music, "callId", "mohUuid"),
    "application.stopMohCall": lambda p: rest_applications.music(_text(p, "applicationUuid"), _text(p, "callId"), ""),
    "application.sendDTMFCall": _app(rest_applications.dtmf, "callId", "digits"),
    "application.playCall": lambda p: rest_applications.play(
        _text(p, "applicationUuid"), _text(p, "callId"), _text(p, "uri"), _optional(p, "language")
    ),
    "application.stopPlaybackCall": _app(rest_applications.stop_playback, "playbackUuid"),
    "application.listNodes": _app(rest_applications.nodes),
    "application.listCallsNodes": _app(rest_applications.node, "nodeUuid"),
    "application.removeNode": _app(rest_applications.delete_node, "nodeUuid"),
    "application.createNewNodeWithCall": lambda p: rest_applications.create_node(
        _text(p, "applicationUuid"), _texts(p, "callIds")
    ),
    "application.addCallNodes": _node_call(False),
    "application.removeCallNodes": _node_call(True),
    "application.addNewCallNodes": _call_into_node,
    # accessd
    "accessd.listSubscriptions": lambda p: rest_accessd.list_subscriptions(),
    "accessd.createSubscription": lambda p: rest_accessd.create_subscription(
        _some(p, "product_sku", "name", "start_date", "contract_date", "auto_renew", "term")
    ),
    "accessd.getSubscription": lambda p: rest_accessd.get_subscription(_text(p, "subscriptionUuid")),
    "accessd.listAuthorizations": lambda p: rest_accessd.list_authorizations(_text(p, "subscriptionUuid")),
    "accessd.getAuthorization": lambda p: rest_accessd.get_authorization(
        _text(p, "subscriptionUuid"), _text(p, "authorizationUuid")
    ),
}


LISTS: Mapping[str, Callable[[FindAdministration], RestRequest]] = {
    "users": lambda q: rest_confd.list_users(q.text, q.offset, q.limit),
    "logins": lambda q: rest_auth.listing("users", q.text, q.offset, q.limit),
    "groups": lambda q: rest_auth.listing("groups", q.text, q.offset, q.limit),
    "tenants": lambda q: rest_auth.listing("tenants", q.text, q.offset, q.limit),
    "policies": lambda q: rest_auth.listing("policies", q.text, q.offset, q.limit),
    "group_users": lambda q: rest_auth.group_users(q.parent),
    "applications": lambda q: rest_confd.list_applications(q.text, q.offset, q.limit),
    "application_calls": lambda q: rest_applications.calls(q.parent),
    "application_nodes": lambda q: rest_applications.nodes(q.parent),
    "sources": lambda q: rest_dird.list_sources(),
    "sessions": lambda q: rest_auth.sessions(),
    "refresh_tokens": lambda q: rest_auth.refresh_tokens(),
    "trunks": lambda q: rest_calld.list_trunks(),
    "calls": lambda q: rest_calld.list_calls(),
    "subscriptions": lambda q: rest_accessd.list_subscriptions(),
    "authorizations": lambda q: rest_accessd.list_authorizations(q.parent),
    "guests": lambda q: rest_confd.list_admissions(q.parent),
    "caller_ids": lambda q: rest_confd.outgoing_caller_ids("me"),
}
"""Items come as the server's own objects; ``parent`` names what they belong to."""
