"""wazo-auth: tokens, sessions, users, groups, policies, tenants, SAML start (wazo.md 2)."""

from __future__ import annotations

import base64
import binascii
import secrets
import uuid
from typing import Any
from urllib.parse import quote

from app.sandbox.wazo.acl import allows
from app.sandbox.wazo.http import NO_CONTENT, ApiError, Call, Reply, Service, invalid, not_found, page
from app.sandbox.wazo.state import MAX_SESSIONS, Token, User, now_iso, utc

service = Service("auth/0.1", "A")
MAX_EXPIRATION = 315_360_000
FAILED = "Authentication Failed"


def failed() -> ApiError:
    return ApiError(401, FAILED, shape="B")


def token_data(call: Call, token: Token, refresh_token: str = "") -> dict[str, Any]:
    """The reply of wazo.md 2.1."""
    state, user = call.state, call.state.users[token.user_uuid]
    data: dict[str, Any] = {
        "token": token.token,
        "session_uuid": token.session_uuid,
        "auth_id": user.uuid,
        "xivo_user_uuid": user.uuid,
        "xivo_uuid": state.stack_uuid,
        "issued_at": utc(token.issued_at + 3600),
        "expires_at": utc(token.expires_at + 3600),
        "utc_issued_at": utc(token.issued_at),
        "utc_expires_at": utc(token.expires_at),
        "acl": list(token.acl),
        "remote_addr": call.request.remote or "",
        "user_agent": call.request.headers.get("User-Agent", "")[:200],
        "metadata": {
            "uuid": user.uuid, "tenant_uuid": state.tenant_uuid, "auth_id": user.uuid, "pbx_user_uuid": user.uuid,
            "xivo_uuid": state.stack_uuid, "purpose": "user", "admin": user.account.admin,
            "username": user.account.username, "tenants": [{"uuid": state.tenant_uuid}],
            "groups": [group["name"] for group in state.groups.values() if user.uuid in group.get("users", ())],
        },
    }  # fmt: skip
    if refresh_token:
        data["refresh_token"] = refresh_token
    return data


def basic(header: str) -> tuple[str, str] | None:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        raw = base64.b64decode(rest, validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    name, colon, password = text.partition(":")
    return (name, password) if colon else None


def _by_credentials(call: Call, body: dict[str, Any]) -> User:
    given = basic(call.request.headers.get("Authorization", ""))
    user = call.state.user_named(given[0]) if given else None
    backend = body.get("backend", "wazo_user")
    if given is None or user is None or not secrets.compare_digest(user.password.encode(), given[1].encode()):
        raise failed()
    if user.account.backend != backend:
        raise failed()
    if backend == "ldap_user":
        if not body.get("domain_name") and not body.get("tenant_id"):
            raise ApiError(400, "domain_name or tenant_id is needed", shape="B")
        if body.get("domain_name") not in (None, user.account.domain):
            raise failed()
    return user


def _by_refresh(call: Call, body: dict[str, Any]) -> User:
    known = call.state.refresh_tokens.get(str(body["refresh_token"]))
    if known is None or known["client_id"] != body.get("client_id"):
        raise failed()
    return call.state.users[known["user_uuid"]]


def _by_saml(call: Call, body: dict[str, Any]) -> User:
    session = call.state.saml.get(str(body["saml_session_id"]))
    if session is None or not session.get("user_uuid"):
        raise failed()
    return call.state.users[session["user_uuid"]]


@service.route("POST", "token", token=False)
def create_token(call: Call) -> Reply:
    try:
        body = call.body
    except ApiError as error:
        raise ApiError(400, str(error), shape="B") from None
    seconds = body.get("expiration", call.state.options.token_expiration)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 1 <= seconds <= MAX_EXPIRATION:
        raise ApiError(400, "Invalid expiration", shape="B")
    offline, client_id = body.get("access_type", "online") == "offline", str(body.get("client_id") or "")[:1024]
    if (offline or "refresh_token" in body) and not client_id:
        raise ApiError(400, "client_id is needed", shape="B")
    if offline and "refresh_token" in body:
        raise ApiError(400, "access_type offline forbids refresh_token", shape="B")
    if "refresh_token" in body:
        user = _by_refresh(call, body)
    elif "saml_session_id" in body:
        user = _by_saml(call, body)
    else:
        user = _by_credentials(call, body)
    state = call.state
    if len(state.sessions_of(user.uuid)) >= MAX_SESSIONS:
        raise ApiError(429, "Maximum number of concurrent sessions reached", shape="B")
    mobile, revoked = call.request.headers.get("Wazo-Session-Type") == "mobile", 0
    if mobile and "refresh_token" not in body:
        for other in [t for t in state.sessions_of(user.uuid) if t.mobile]:
            state.drop_token(other.token)
            revoked += 1
    token = state.new_token(user, seconds, client_id, mobile)
    refresh = ""
    if offline:
        for old in [
            r for r, k in state.refresh_tokens.items() if (k["user_uuid"], k["client_id"]) == (user.uuid, client_id)
        ]:
            del state.refresh_tokens[old]
        refresh = secrets.token_hex(20)
        state.refresh_tokens[refresh] = {
            "user_uuid": user.uuid, "client_id": client_id, "created_at": now_iso(), "mobile": mobile,
        }  # fmt: skip
    state.bus.publish(
        "auth_session_created",
        {"uuid": token.session_uuid, "user_uuid": user.uuid, "tenant_uuid": state.tenant_uuid, "mobile": mobile},
        [user.uuid],
        f"events.auth.sessions.{token.session_uuid}.created",
    )
    headers = {"Wazo-Sessions-Revoked": str(revoked)}
    return Reply(200, {"data": token_data(call, token, refresh)}, headers=headers)


@service.route("GET", "token/{token}", token=False)
def check_token(call: Call) -> Reply:
    token = call.state.token(call.params["token"])
    if token is None:
        raise ApiError(404, "No such token", shape="B")
    scope = call.query.get("scope", "")
    if scope and not allows(token.acl, scope, token.user_uuid, token.session_uuid):
        raise ApiError(403, "Unauthorized for this scope", shape="B")
    if call.request.method == "HEAD":
        return NO_CONTENT
    return Reply(200, {"data": token_data(call, token)})


@service.route("DELETE", "token/{token}", token=False)
def delete_token(call: Call) -> Any:
    call.state.drop_token(call.params["token"])
    return {"data": {"message": "success"}}


@service.route("POST", "token/{token}/scopes/check", token=False)
def check_scopes(call: Call) -> Any:
    token = call.state.token(call.params["token"])
    if token is None:
        raise ApiError(404, "No such token", shape="B")
    scopes = call.body.get("scopes", [])
    return {"scopes": {str(s): allows(token.acl, str(s), token.user_uuid) for s in scopes[:1000]}}


@service.route("GET", "status", token=False)
def status(call: Call) -> Any:
    return {"rest_api": {"status": "ok"}}


@service.route("GET", "backends", token=False)
def backends(call: Call) -> Any:
    return {"data": ["wazo_user", "ldap_user"]}


@service.route("GET", "users/me/tokens", "auth.users.me.tokens.read")
def refresh_tokens(call: Call) -> Any:
    items: list[dict[str, Any]] = [
        {**{k: known[k] for k in ("client_id", "created_at", "mobile", "user_uuid")}, "metadata": {}}
        for known in call.state.refresh_tokens.values()
        if known["user_uuid"] == call.me.uuid
    ]
    return page(call, items, order="created_at", columns=("client_id", "created_at"))


@service.route("DELETE", "users/me/tokens/{client}", "auth.users.me.tokens.{client}.delete")
def delete_refresh_token(call: Call) -> Reply:
    found = [
        text
        for text, known in call.state.refresh_tokens.items()
        if known["user_uuid"] == call.me.uuid and known["client_id"] == call.params["client"]
    ]
    if not found:
        raise not_found("No refresh token found", "cannot-find-refresh-token-matching-user-and-client")
    for text in found:
        del call.state.refresh_tokens[text]
    return NO_CONTENT


@service.route("GET", "users/me/sessions", "auth.users.me.sessions.read")
def sessions(call: Call) -> Any:
    items = [
        {"uuid": t.session_uuid, "user_uuid": t.user_uuid, "tenant_uuid": call.state.tenant_uuid, "mobile": t.mobile}
        for t in call.state.sessions_of(call.me.uuid)
    ]
    return page(call, items)


@service.route("DELETE", "users/me/sessions/{session}", "auth.users.me.sessions.{session}.delete")
def delete_session(call: Call) -> Reply:
    for token in call.state.sessions_of(call.me.uuid):
        if token.session_uuid == call.params["session"]:
            call.state.drop_token(token.token)
            return NO_CONTENT
    raise not_found("No such session", "unknown-session")


@service.route("PUT", "users/me/password", "auth.users.me.password.update")
def change_password(call: Call) -> Reply:
    user = call.me
    if user.account.backend != "wazo_user":
        raise ApiError(405, "Password managed externally")
    if call.text("old_password") != user.password:
        raise ApiError(401, "Authentication Failed", shape="B")
    user.password = call.text("new_password")
    return NO_CONTENT


@service.route("GET", "users/password/reset", token=False)
def ask_reset(call: Call) -> Reply:
    return NO_CONTENT


@service.route("POST", "users/password/reset", "auth.users.password.reset.{user_uuid}.create")
def reset_password(call: Call) -> Reply:
    user = call.state.users.get(call.query.get("user_uuid", ""))
    if user is None:
        raise not_found("No such user", "unknown-user")
    user.password = call.text("password")
    for token in call.state.sessions_of(user.uuid):
        call.state.drop_token(token.token)
    return NO_CONTENT


# ---------------------------------------------------------------------- SAML


@service.route("POST", "saml/sso", token=False)
def saml_start(call: Call) -> Reply:
    domain, redirect = call.text("domain"), call.text("redirect_url")
    user = next(
        (u for u in call.state.users.values() if u.account.domain == domain and u.account.backend == "saml"), None
    )
    if user is None:
        raise ApiError(404, "No SAML configuration for this domain")
    session_id = secrets.token_hex(16)
    call.state.saml[session_id] = {"user_uuid": "", "pending": user.uuid, "redirect": redirect}
    while len(call.state.saml) > 100:
        del call.state.saml[next(iter(call.state.saml))]
    base = f"{call.request.scheme}://{call.request.host}"
    location = f"{base}/api/auth/0.1/saml/acs?RelayState={quote(session_id)}"
    return Reply(200, {"location": location, "saml_session_id": session_id})


@service.route("GET POST", "saml/acs", token=False)
def saml_finish(call: Call) -> Reply:
    """The identity provider of the sandbox lets everybody in at once and sends the browser back."""
    session = call.state.saml.get(call.query.get("RelayState", ""))
    if session is None:
        raise not_found("No such SAML session")
    session["user_uuid"] = session["pending"]
    return Reply(303, None, b"", "text/plain", {"Location": str(session["redirect"])})


@service.route("GET", "saml/logout", "auth.saml.logout.read")
def saml_logout(call: Call) -> Any:
    return {"location": f"{call.request.scheme}://{call.request.host}/"}


# ---------------------------------------------------------------------- administration


def user_data(user: User) -> dict[str, Any]:
    return {
        "uuid": user.uuid,
        "username": user.account.username,
        "firstname": user.settings["firstname"],
        "lastname": user.settings["lastname"],
        "enabled": True,
        "purpose": "user",
        "authentication_method": "default",
        "emails": [{"uuid": user.uuid, "address": user.settings["email"], "main": True, "confirmed": True}],
    }


@service.route("GET", "users", "auth.users.read")
def users(call: Call) -> Any:
    items = [user_data(user) for user in call.state.users.values()]
    return page(call, items, order="username", columns=("firstname", "lastname"), search=("username", "lastname"))


@service.route("POST", "users", "auth.users.create")
def create_user(call: Call) -> Any:
    from app.sandbox.wazo.options import Account

    name = call.text("username")
    if call.state.user_named(name) is not None:
        raise ApiError(409, "Username already used", "conflict")
    first = call.text("firstname", required=False)
    last = call.text("lastname", required=False)
    password = call.text("password", required=False, default=secrets.token_hex(6))
    exten = str(1100 + len(call.state.users))
    user = call.state.add_user(Account(name, password, first, last, exten), len(call.state.users) + 1)
    return user_data(user)


def _user(call: Call) -> User:
    user = call.state.users.get(call.params["user"])
    if user is None:
        raise not_found("No such user", "unknown-user")
    return user


@service.route("GET", "users/me", "auth.users.me.read")
def own_user(call: Call) -> Any:
    return user_data(call.me)


@service.route("GET", "users/{user}", "auth.users.{user}.read")
def get_user(call: Call) -> Any:
    return user_data(_user(call))


@service.route("DELETE", "users/{user}", "auth.users.{user}.delete")
def delete_user(call: Call) -> Reply:
    user = _user(call)
    for token in call.state.sessions_of(user.uuid):
        call.state.drop_token(token.token)
    del call.state.users[user.uuid]
    return NO_CONTENT


@service.route("PUT", "users/{user}/emails", "auth.users.{user}.emails.edit")
def user_emails(call: Call) -> Any:
    emails = call.body.get("emails")
    if not isinstance(emails, list):
        raise invalid("emails", "a list is needed")
    main = next((e["address"] for e in emails if isinstance(e, dict) and e.get("main")), None)
    if isinstance(main, str):
        _user(call).settings["email"] = main
    return [{"uuid": str(uuid.uuid4()), "confirmed": True, **e} for e in emails if isinstance(e, dict)]


@service.route("GET", "users/me/external", "auth.users.me.external.read")
def external(call: Call) -> Any:
    known = call.me.external
    names = ("google", "microsoft", "mobile")
    items: list[dict[str, Any]] = [{"type": name, "data": {}, "enabled": name in known} for name in names]
    return {"items": items, "total": len(items), "filtered": len(items)}


@service.route("GET", "users/me/external/{provider}", "auth.users.me.external.{provider}.read")
def external_one(call: Call) -> Any:
    data = call.me.external.get(call.params["provider"])
    if data is None:
        raise not_found("No such external auth", "unknown-external-auth")
    return data


@service.route("POST", "users/me/external/{provider}", "auth.users.me.external.{provider}.create")
def external_add(call: Call) -> Reply:
    call.me.external[call.params["provider"]] = call.body
    call.state.user_event(call.me, "auth_user_external_auth_added", {"external_auth_name": call.params["provider"]})
    return Reply(201, call.body)


@service.route("DELETE", "users/me/external/{provider}", "auth.users.me.external.{provider}.delete")
def external_delete(call: Call) -> Reply:
    if call.me.external.pop(call.params["provider"], None) is None:
        raise not_found("No such external auth", "unknown-external-auth")
    call.state.user_event(call.me, "auth_user_external_auth_deleted", {"external_auth_name": call.params["provider"]})
    return NO_CONTENT


def _collection(name: str, singular: str, attribute: str) -> None:
    """List, create, read, change and delete of a simple kind of object."""

    def store(call: Call) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = getattr(call.state, attribute)
        return found

    def one(call: Call) -> dict[str, Any]:
        found = store(call).get(call.params["item"])
        if found is None:
            raise not_found(f"No such {singular}", f"unknown-{singular}")
        return found

    @service.route("GET", name, f"auth.{name}.read")
    def listing(call: Call) -> Any:
        items = list(store(call).values())
        if name != "tenants":
            items = [item for item in items if item.get("tenant_uuid", call.state.tenant_uuid) == call.tenant]
        return page(call, items, order="name", search=("name",))

    @service.route("POST", name, f"auth.{name}.create")
    def create(call: Call) -> Any:
        body = {"name": call.text("name"), **{k: v for k, v in call.body.items() if k != "uuid"}}
        item: dict[str, Any] = {"uuid": str(uuid.uuid4()), "tenant_uuid": call.tenant, "users": [], **body}
        store(call)[item["uuid"]] = item
        return item

    @service.route("GET", name + "/{item}", f"auth.{name}.{{item}}.read")
    def read(call: Call) -> Any:
        return one(call)

    @service.route("PUT", name + "/{item}", f"auth.{name}.{{item}}.edit")
    def change(call: Call) -> Any:
        one(call).update({k: v for k, v in call.body.items() if k != "uuid"})
        return one(call)

    @service.route("DELETE", name + "/{item}", f"auth.{name}.{{item}}.delete")
    def delete(call: Call) -> Reply:
        del store(call)[one(call)["uuid"]]
        return NO_CONTENT

    @service.route("GET", name + "/{item}/users", f"auth.{name}.{{item}}.users.read")
    def members(call: Call) -> Any:
        users = [call.state.users[u] for u in one(call).get("users", []) if u in call.state.users]
        return page(call, [user_data(user) for user in users], order="username")

    @service.route("PUT", name + "/{item}/users/{user}", f"auth.{name}.{{item}}.users.{{user}}.create")
    def add_member(call: Call) -> Reply:
        members = one(call).setdefault("users", [])
        if _user(call).uuid not in members:
            members.append(_user(call).uuid)
        return NO_CONTENT

    @service.route("DELETE", name + "/{item}/users/{user}", f"auth.{name}.{{item}}.users.{{user}}.delete")
    def remove_member(call: Call) -> Reply:
        members = one(call).setdefault("users", [])
        if call.params["user"] not in members:
            raise not_found("No such user", "unknown-user")
        members.remove(call.params["user"])
        return NO_CONTENT


_collection("groups", "group", "groups")
_collection("policies", "policy", "policies")
_collection("tenants", "tenant", "tenants")


@service.route("PUT", "users/{user}/policies/{policy}", "auth.users.{user}.policies.{policy}.create")
def add_policy(call: Call) -> Reply:
    policy = call.state.policies.get(call.params["policy"])
    if policy is None:
        raise not_found("No such policy", "unknown-policy")
    policy.setdefault("users", []).append(_user(call).uuid)
    return NO_CONTENT


@service.route("DELETE", "users/{user}/policies/{policy}", "auth.users.{user}.policies.{policy}.delete")
def remove_policy(call: Call) -> Reply:
    policy = call.state.policies.get(call.params["policy"])
    if policy is None or _user(call).uuid not in policy.get("users", []):
        raise not_found("No such policy", "unknown-policy")
    policy["users"].remove(_user(call).uuid)
    return NO_CONTENT
