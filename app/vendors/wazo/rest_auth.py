"""wazo-auth: tokens, sessions, password, SAML, users, groups, policies, tenants (wazo.md 2)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.calls.text import clean_name
from app.vendors.wazo.wire import AUTH, RestRequest, milliseconds, parameters, path, read

DEFAULT_EXPIRATION_S = 3_600
"""Life of a token when nothing else is asked for; the official client asks for the same."""
DEFAULT_BACKEND = "wazo_user"
MAX_SHOWN = 50
"""Groups or tenants that are named; a person reads no more."""


@dataclass(frozen=True, slots=True)
class Session:
    """A token and what the server said about it."""

    token: str = field(repr=False)
    user_uuid: str
    tenant_uuid: str = ""
    session_uuid: str = ""
    stack_uuid: str = ""
    refresh_token: str = field(default="", repr=False)
    expires_at: int | None = None
    """Milliseconds since the epoch."""
    life_s: float | None = None
    """From its issue to its end, by the server's own clock; ``None`` when it is not told or the token is not new."""
    acl: tuple[str, ...] | None = None
    """``None`` when the server does not say."""
    authorizations: tuple[str, ...] = ()
    """Rule names of the JWT in the metadata. It is read, not verified: the check that uses it only tells a person
    early what the server would refuse anyway."""
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)


class _Metadata(msgspec.Struct):
    uuid: str = ""
    tenant_uuid: str = ""
    pbx_user_uuid: str = ""
    xivo_user_uuid: str = ""
    auth_id: str = ""
    jwt: str = ""


class _Token(msgspec.Struct):
    token: str
    refresh_token: str = ""
    session_uuid: str = ""
    auth_id: str = ""
    xivo_user_uuid: str = ""
    xivo_uuid: str = ""
    issued_at: str = ""
    expires_at: str = ""
    utc_issued_at: str = ""
    utc_expires_at: str = ""
    acl: tuple[str, ...] | None = None
    acls: tuple[str, ...] | None = None
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


def _body(expiration_s: int, backend: str, domain: str) -> dict[str, Any]:
    body: dict[str, Any] = {"backend": backend or DEFAULT_BACKEND, "expiration": expiration_s}
    if domain:
        body["domain_name"] = domain
    return body


def create_token(
    user: str,
    password: str,
    *,
    client_id: str = "",
    expiration_s: int = DEFAULT_EXPIRATION_S,
    backend: str = DEFAULT_BACKEND,
    domain: str = "",
    mobile: bool = False,
) -> RestRequest:
    """Sign in with a password. A *client_id* asks for a refresh token as well."""
    body = _body(expiration_s, backend, domain)
    if client_id:
        body |= {"access_type": "offline", "client_id": client_id}
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    return _token_request(body, mobile, {"Authorization": f"Basic {credentials}"})


def refresh(
    refresh_token: str,
    client_id: str,
    *,
    expiration_s: int = DEFAULT_EXPIRATION_S,
    backend: str = DEFAULT_BACKEND,
    domain: str = "",
    mobile: bool = False,
) -> RestRequest:
    body = _body(expiration_s, backend, domain) | {"refresh_token": refresh_token, "client_id": client_id}
    return _token_request(body, mobile, {})


def saml_token(saml_session_id: str, *, client_id: str = "", expiration_s: int = DEFAULT_EXPIRATION_S) -> RestRequest:
    body: dict[str, Any] = {"saml_session_id": saml_session_id, "expiration": expiration_s}
    if client_id:
        body |= {"access_type": "offline", "client_id": client_id}
    return _token_request(body, False, {})


def _token_request(body: dict[str, Any], mobile: bool, headers: dict[str, str]) -> RestRequest:
    if mobile:
        headers["Wazo-Session-Type"] = "mobile"
    return RestRequest("POST", f"{AUTH}/token", body=body, headers=headers, authenticated=False)


def parse_session(body: Any) -> Session | None:
    """The session of a token answer, ``None`` when there is no token or no user in it."""
    data = body.get("data") if isinstance(body, dict) else None
    token = read(_Token, data)
    if token is None or not token.token:
        return None
    meta = token.metadata
    user = meta.uuid or meta.pbx_user_uuid or meta.xivo_user_uuid or token.xivo_user_uuid
    user = user or meta.auth_id or token.auth_id
    if not user:
        return None
    raw = data.get("metadata") if isinstance(data, dict) else None
    return Session(
        token.token,
        user,
        meta.tenant_uuid,
        token.session_uuid,
        token.xivo_uuid,
        token.refresh_token,
        milliseconds(token.utc_expires_at),
        _life_s(token),
        token.acl if token.acl is not None else token.acls,
        jwt_rules(meta.jwt),
        raw if isinstance(raw, dict) else {},
    )


def shown(metadata: Mapping[str, Any]) -> dict[str, str]:
    """What a person may want to know of the metadata: ``username``, ``groups`` and ``tenants`` by name, comma
    separated. Most servers tell only some of it."""
    out: dict[str, str] = {}
    username = metadata.get("username")
    if isinstance(username, str) and username:
        out["username"] = clean_name(username)
    for key in ("groups", "tenants"):
        found = metadata.get(key)
        names: list[str] = []
        for item in found[:MAX_SHOWN] if isinstance(found, list) else ():
            name = (item.get("name") or item.get("uuid")) if isinstance(item, dict) else item
            if isinstance(name, str) and name:
                names.append(clean_name(name))
        if names:
            out[key] = ", ".join(names)
    return out


def _life_s(token: _Token) -> float | None:
    # Both times of a pair come from one clock, whatever its zone and however wrong it is.
    for start, end in ((token.utc_issued_at, token.utc_expires_at), (token.issued_at, token.expires_at)):
        issued, expires = milliseconds(start), milliseconds(end)
        if issued is not None and expires is not None and expires > issued:
            return (expires - issued) / 1000
    return None


def jwt_rules(token: str) -> tuple[str, ...]:
    """``authorizations[].rules[].name`` of a JWT (RFC 7519), empty when it cannot be read."""
    parts = token.split(".")
    if len(parts) != 3:
        return ()
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return ()
    found = payload.get("authorizations") if isinstance(payload, dict) else None
    names: list[str] = []
    for authorization in found if isinstance(found, list) else ():
        rules = authorization.get("rules") if isinstance(authorization, dict) else None
        for rule in rules if isinstance(rules, list) else ():
            name = rule.get("name") if isinstance(rule, dict) else None
            if isinstance(name, str):
                names.append(name)
    return tuple(names)


def status() -> RestRequest:
    return RestRequest("HEAD", f"{AUTH}/status", authenticated=False)


def get_token(token: str) -> RestRequest:
    return RestRequest("GET", path(f"{AUTH}/token", token), authenticated=False)


def check_token(token: str, scope: str = "") -> RestRequest:
    """204 valid, 403 lacks *scope*, 404 unknown or expired."""
    return RestRequest("HEAD", path(f"{AUTH}/token", token), query=parameters(scope=scope), authenticated=False)


def delete_token(token: str) -> RestRequest:
    return RestRequest("DELETE", path(f"{AUTH}/token", token), authenticated=False)


def refresh_tokens() -> RestRequest:
    return RestRequest("GET", f"{AUTH}/users/me/tokens")


def delete_refresh_token(client_id: str) -> RestRequest:
    return RestRequest("DELETE", path(f"{AUTH}/users/me/tokens", client_id))


def check_scopes(token: str, scopes: tuple[str, ...]) -> RestRequest:
    body = {"scopes": list(scopes)}
    return RestRequest("POST", path(f"{AUTH}/token", token, "scopes", "check"), body=body, authenticated=False)


def sessions(user: str = "me") -> RestRequest:
    return RestRequest("GET", path(f"{AUTH}/users", user, "sessions"))


def delete_session(session: str, user: str = "me") -> RestRequest:
    return RestRequest("DELETE", path(f"{AUTH}/users", user, "sessions", session))


def change_password(user: str, old: str, new: str) -> RestRequest:
    body = {"old_password": old, "new_password": new}
    return RestRequest("PUT", path(f"{AUTH}/users", user, "password"), body=body)


def reset_password(user: str = "", email: str = "") -> RestRequest:
    query = parameters(username=user, email=email)
    return RestRequest("GET", f"{AUTH}/users/password/reset", query=query, authenticated=False)


def saml_start(domain: str, redirect_url: str) -> RestRequest:
    """Answer: ``location`` to open in a browser and ``saml_session_id`` for :func:`saml_token`."""
    body = {"domain": domain, "redirect_url": redirect_url}
    return RestRequest("POST", f"{AUTH}/saml/sso", body=body, authenticated=False)


def saml_logout() -> RestRequest:
    return RestRequest("GET", f"{AUTH}/saml/logout")


# ---------------------------------------------------------------- administration


def listing(what: str, search: str = "", offset: int = 0, limit: int = 50) -> RestRequest:
    """*what*: users, groups, policies or tenants."""
    query = parameters(search=search, offset=offset or None, limit=limit)
    return RestRequest("GET", path(AUTH, what), query=query)


def create(what: str, body: Mapping[str, Any]) -> RestRequest:
    return RestRequest("POST", path(AUTH, what), body=dict(body))


def delete(what: str, uuid: str) -> RestRequest:
    return RestRequest("DELETE", path(AUTH, what, uuid))


def update_tenant(uuid: str, body: Mapping[str, Any]) -> RestRequest:
    return RestRequest("PUT", path(AUTH, "tenants", uuid), body=dict(body))


def set_emails(user: str, emails: list[Mapping[str, Any]]) -> RestRequest:
    return RestRequest("PUT", path(AUTH, "users", user, "emails"), body={"emails": [dict(e) for e in emails]})


def user_policy(user: str, policy: str, *, remove: bool = False) -> RestRequest:
    return RestRequest("DELETE" if remove else "PUT", path(AUTH, "users", user, "policies", policy))


def group_user(group: str, user: str, *, remove: bool = False) -> RestRequest:
    return RestRequest("DELETE" if remove else "PUT", path(AUTH, "groups", group, "users", user))


def group_users(group: str) -> RestRequest:
    return RestRequest("GET", path(AUTH, "groups", group, "users"))
