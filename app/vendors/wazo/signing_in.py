"""Signing in: a token by password, refresh token, SAML session or an existing token; then who one is, whether one may
use this program, and the lines (wazo.md 2.2, 2.4, 3)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Any

from app.calls.model import Failure
from app.protocols.http import NetworkFailure
from app.vendors.base import SignInFailed, SignInRequest
from app.vendors.wazo import rest_auth, rest_confd
from app.vendors.wazo.client import RestError, TokenOptions, WazoClient
from app.vendors.wazo.errors import failure, server_failure, sign_in_failure
from app.vendors.wazo.rest_confd import Profile, SipLine

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundAccount:
    profile: Profile
    lines: tuple[SipLine, ...]
    line: SipLine | None
    """The one that calls are made with: the first WebRTC line."""
    version: str


async def open_token(request: SignInRequest, tokens: TokenOptions, client: WazoClient) -> None:
    """Raises :class:`SignInFailed`, :class:`NetworkFailure`."""
    host = client.host
    if not host or any(character.isspace() for character in host):
        raise SignInFailed(failure("bad_address", host[:100]))
    if tokens.backend != rest_auth.DEFAULT_BACKEND and not tokens.domain and request.password is not None:
        raise SignInFailed(failure("domain_needed"))
    options = request.options
    existing, saml = options.get("token"), options.get("saml_session_id")
    if request.refresh_token:
        client.refresh_token = request.refresh_token
    if isinstance(existing, str) and existing and await _use_existing(client, existing):
        return
    wanted = _token_request(request, tokens, saml if isinstance(saml, str) else "")
    if wanted is None:
        raise SignInFailed(failure("wrong_password", "no password and no refresh token"))
    try:
        await client.open_session(wanted)
    except RestError as error:
        with_password = request.password is not None
        if saml:
            raise SignInFailed(failure("saml_failed", str(error.error.status))) from error
        raise SignInFailed(sign_in_failure(error.error, with_password=with_password)) from error


def _token_request(request: SignInRequest, tokens: TokenOptions, saml: str) -> Any:
    if saml:
        return rest_auth.saml_token(saml, client_id=tokens.client_id, expiration_s=tokens.expiration_s)
    if request.password is not None:
        return rest_auth.create_token(
            request.user,
            request.password,
            client_id=tokens.client_id,
            expiration_s=tokens.expiration_s,
            backend=tokens.backend,
            domain=tokens.domain,
            mobile=tokens.mobile,
        )
    if request.refresh_token:
        return rest_auth.refresh(
            request.refresh_token,
            tokens.client_id,
            expiration_s=tokens.expiration_s,
            backend=tokens.backend,
            domain=tokens.domain,
            mobile=tokens.mobile,
        )
    return None


async def _use_existing(client: WazoClient, token: str) -> bool:
    """Whether the token still works; then it is used."""
    try:
        body = await client.call(rest_auth.get_token(token))
    except RestError:
        return False
    session = rest_auth.parse_session(body)
    if session is None:
        return False
    # Part of its life is over.
    client.adopt(replace(session, life_s=None))
    return True


async def start_saml(client: WazoClient, domain: str, redirect_url: str) -> tuple[str, str]:
    """Address to open in a browser, and the session id to sign in with afterwards. Raises :class:`SignInFailed`."""
    try:
        body = await client.call(rest_auth.saml_start(domain, redirect_url))
    except RestError as error:
        code = "no_saml" if error.error.status == 404 else "saml_failed"
        raise SignInFailed(failure(code, str(error.error.status))) from error
    location, session = (body.get(key) if isinstance(body, dict) else None for key in ("location", "saml_session_id"))
    if not isinstance(location, str) or not isinstance(session, str) or not location.startswith("https://"):
        raise SignInFailed(failure("saml_failed", "answer without location"))
    return location, session


async def read_account(request: SignInRequest, tokens: TokenOptions, client: WazoClient) -> FoundAccount:
    """Raises :class:`SignInFailed` and drops the tokens when this person may not use the program."""
    session = client.session
    assert session is not None
    await _probe(client)
    try:
        profile_body, version = await asyncio.gather(
            client.call(rest_confd.get_user(session.user_uuid)), _version(client)
        )
    except RestError as error:
        raise SignInFailed(server_failure(error.error)) from error
    profile = rest_confd.parse_profile(profile_body, session.user_uuid)
    if profile is None:
        raise SignInFailed(failure("bad_answer", "user"))
    refusal = access_refusal(request, session, profile)
    if refusal is not None:
        await _drop(client, tokens.client_id, session.token)
        raise SignInFailed(refusal)
    found = await asyncio.gather(*(_line(client, profile.uuid, line) for line in profile.lines if line.is_sip))
    lines = tuple(line for line in found if line is not None)
    return FoundAccount(profile, lines, next((line for line in lines if line.webrtc), None), version)


def access_refusal(request: SignInRequest, session: rest_auth.Session, profile: Profile) -> Failure | None:
    """Subscription and authorization checks. A subscription must be above the minimum, not equal (wazo.md 0)."""
    minimum = request.options.get("minSubscriptionType")
    if isinstance(minimum, int) and not isinstance(minimum, bool):
        kind = profile.subscription_type
        if kind is None or kind <= minimum:
            return failure("subscription", f"subscription type {kind}, more than {minimum} needed")
    wanted = request.options.get("authorizationName")
    if isinstance(wanted, str) and wanted and wanted not in session.authorizations:
        return failure("authorization", wanted)
    return None


async def _probe(client: WazoClient) -> None:
    try:
        await client.send(rest_auth.status())
    except (RestError, NetworkFailure) as error:
        log.debug("status: %s", type(error).__name__)


async def _version(client: WazoClient) -> str:
    try:
        return rest_confd.parse_version(await client.call(rest_confd.get_infos()))
    except RestError:
        return ""


async def _line(client: WazoClient, user: str, line: rest_confd.UserLine) -> SipLine | None:
    try:
        return rest_confd.parse_line_sip(await client.call(rest_confd.get_line_sip(user, line.id)), line)
    except RestError as error:
        log.info("line without SIP settings: %d", error.error.status)
        return None


async def _drop(client: WazoClient, client_id: str, token: str) -> None:
    client_token = client.refresh_token
    client.refresh_token = ""
    for request in (rest_auth.delete_refresh_token(client_id), rest_auth.delete_token(token)):
        try:
            await client.send(request)
        except (RestError, NetworkFailure) as error:
            log.info("dropping tokens: %s (%s)", type(error).__name__, bool(client_token))
