"""A phone account through the controller: signing in and out, tokens, rights, tenants, proxy, log server."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app import logs
from app.calls import accounts as acc
from app.calls.accounts import AccountPhase, Registration, Service
from app.sandbox.wazo import WazoSandbox
from app.sandbox.wazo.options import Account
from app.storage.accounts import AccountStore
from app.vendors.base import ActionRefused
from tests.controller.desk import MemoryKeyring
from tests.e2e.jitsi_call import eventually
from tests.e2e.wazo_desk import Office


@pytest.fixture
async def box() -> AsyncIterator[WazoSandbox]:
    async with WazoSandbox(people=20, call_log=20) as running:
        yield running


def tokens_of(box: WazoSandbox, user: str) -> list[Any]:
    return box.state.sessions_of(box.user(user).uuid)


# ---------------------------------------------------------------- signing in


@pytest.mark.covers(
    "wazo:auth.init", "wazo:option.auth.init.tokenExpiration", "wazo:option.auth.init.clientId",
    "wazo:option.api.clientId", "wazo:option.requester.clientId", "wazo:auth.setHost", "wazo:param.auth.setHost.host",
    "wazo:option.api.server", "wazo:option.requester.server", "wazo:option.ws.host", "wazo:api.new", "wazo:auth.logIn",
    "wazo:param.auth.logIn.username", "wazo:param.auth.logIn.password", "wazo:rest.auth.logIn",
    "wazo:rest.auth.login", "wazo:option.rest.auth.logIn.username", "wazo:option.rest.auth.logIn.password",
    "wazo:option.rest.auth.logIn.expiration", "wazo:option.rest.auth.logIn.mobile", "wazo:option.api.isMobile",
    "wazo:type.Session", "wazo:type.logInResult.metadata", "wazo:type.logInResult.metadata.username",
    "wazo:type.logInResult.metadata.uuid_tenant_uuid", "wazo:type.logInResult.metadata.xivo_uuid",
    "wazo:type.logInResult.xivo_uuid", "wazo:type.logInResult.metadata.groups", "wazo:type.logInResult.refreshToken",
    "wazo:option.api.agent", "wazo:option.ws.token", "wazo:ws.new", "wazo:type.logInResult",
    "wazo:type.logInResult.metadata.tenants",
)  # fmt: skip
async def test_signing_in_says_who_one_is_and_asks_for_a_token_of_the_wished_life(box: WazoSandbox) -> None:
    alice = box.user("alice")
    box.state.groups["g1"] = {"uuid": "g1", "name": "Sales", "users": [alice.uuid]}
    async with Office(box, trust=False) as stranger:
        state = await stranger.sign_in("alice")
        assert state.phase is AccountPhase.FAILED and state.failure and state.failure.code == "tls"
        assert box.fingerprint.replace(":", "").lower() in state.failure.details and not box.state.tokens
    async with Office(box, phone__sign_in_hours=5) as office:
        state = await office.sign_in("alice@example.com", "alicepw")
        assert state.phase is AccountPhase.SIGNED_IN and state.user_id == alice.uuid
        assert state.display_name == "Alice Archer" and [line.number for line in state.lines] == ["1001", "1001"]
        assert state.details["username"] == "alice" and state.details["groups"] == "Sales"
        assert state.details["tenant"] == box.state.tenant_uuid and state.details["stack"] == box.state.stack_uuid
        assert state.details["tenants"] == box.state.tenant_uuid and state.details["server"] == box.host
        (token,) = tokens_of(box, "alice")
        assert token.expires_at - token.issued_at == 5 * 3600 and token.client_id and not token.mobile
        await eventually(lambda: any(s.user_uuid == alice.uuid and s.started for s in box.events.sessions))
        (kept,) = [known for known in box.state.refresh_tokens.values() if known["user_uuid"] == alice.uuid]
        assert kept["client_id"] == token.client_id
        await office.until(lambda s: s.registration is Registration.REGISTERED)
        assert box.registered("alice")
        wrong = await office.sign_in("bob", "wrong")
        assert wrong.failure and wrong.failure.code == "wrong_password" and not tokens_of(box, "bob")


@pytest.mark.covers("wazo:option.rest.auth.logIn.backend")
async def test_the_domain_picks_the_way_of_signing_in(box: WazoSandbox) -> None:
    async with Office(box) as office:
        state = await office.sign_in("lena", domain="ldap.example")
        assert state.phase is AccountPhase.SIGNED_IN and tokens_of(box, "lena")


@pytest.mark.covers(
    "wazo:auth.validateToken", "wazo:param.auth.validateToken.refreshToken", "wazo:auth.setOnRefreshToken",
    "wazo:param.auth.setOnRefreshToken.callback", "wazo:api.setOnRefreshToken", "wazo:api.setRefreshToken",
    "wazo:api.setRefreshTokenExpiration", "wazo:api.setToken", "wazo:option.requester.refreshTokenCallback",
    "wazo:option.requester.token", "wazo:requester.setToken", "wazo:auth.logout", "wazo:rest.auth.logOut",
    "wazo:ws.updateToken", "wazo:ws.close", "wazo:ws.connect",
)  # fmt: skip
async def test_a_sign_in_lasts_over_starts_and_expired_tokens_until_one_signs_out(box: WazoSandbox) -> None:
    store, keyring = AccountStore(), MemoryKeyring()
    async with Office(box, store=store, keyring=keyring, phone__sign_in_hours=2) as office:
        await office.sign_in("alice")
        await eventually(lambda: bool(keyring.kept))
        name = office.id
    async with Office(box, store=store, keyring=keyring, phone__sign_in_hours=2) as office:
        office.id = name
        await office.controller.resume_accounts()
        assert (await office.settled()).phase is AccountPhase.SIGNED_IN
        assert "password" not in str(box.requests("auth/0.1/token", "POST")[-1].body)
        await eventually(lambda: bool(box.events.sessions))
        before = {token.token for token in tokens_of(box, "alice")}
        box.shorten_tokens("alice", 30)
        # The server says over the socket that it ends soon; the new token goes to the same socket.
        await eventually(lambda: any(t.token not in before for t in tokens_of(box, "alice")))
        fresh = next(t for t in tokens_of(box, "alice") if t.token not in before)
        assert fresh.expires_at - fresh.issued_at == 2 * 3600
        await eventually(lambda: any(s.token == fresh.token for s in box.events.sessions))
        box.expire_tokens("alice")
        assert (await office.do(acc.ApiRequest("GET", "dird/0.1/personal")))["items"] == []
        (after,) = tokens_of(box, "alice")
        assert after.token != fresh.token
        await office.controller.sign_out(office.id)
        assert not tokens_of(box, "alice") and not box.state.refresh_tokens and not keyring.kept
        await eventually(lambda: not box.events.sessions)
        assert not box.registered("alice")


@pytest.mark.covers("wazo:rest.auth.logOut")
async def test_signing_out_everywhere_ends_the_other_sessions_too(box: WazoSandbox) -> None:
    async with Office(box) as home, Office(box) as work:
        await home.sign_in("alice")
        await work.sign_in("alice")
        assert len(tokens_of(box, "alice")) == 2
        await work.controller.sign_out(work.id, everywhere=True)
        assert not tokens_of(box, "alice") and not box.state.refresh_tokens
        await home.until(lambda s: s.phase is AccountPhase.EXPIRED)


@pytest.mark.covers(
    "wazo:type.logInResult.metadata.auth_id", "wazo:type.logInResult.metadata.xivo_user_uuid",
    "wazo:type.logInResult.xivo_user_uuid", "wazo:type.logInResult.auth_id",
)  # fmt: skip
async def test_servers_name_the_user_in_different_places(box: WazoSandbox) -> None:
    bob = box.user("bob")
    shapes: list[dict[str, Any]] = [
        {"metadata": {"xivo_user_uuid": bob.uuid}},
        {"metadata": {"auth_id": bob.uuid}},
        {"xivo_user_uuid": bob.uuid},
        {"auth_id": bob.uuid},
    ]
    async with Office(box) as office:
        for shape in shapes:
            token = box.state.new_token(bob, 60)
            fault = box.faults.fail(
                "auth/0.1/token", 200, method="POST", body={"data": {"token": token.token, **shape}}
            )
            state = await office.sign_in("bob")
            assert state.phase is AccountPhase.SIGNED_IN and state.user_id == bob.uuid, shape
            assert state.display_name == "Bob Baker"
            await office.until(lambda s: s.registration is Registration.REGISTERED)
            box.faults.http.remove(fault)
            await office.controller.sign_out(office.id)


@pytest.mark.covers(
    "wazo:type.logInResult.utc_expires_at", "wazo:type.logInResult.utc_issued_at", "wazo:type.logInResult.expires_at",
    "wazo:type.logInResult.issued_at",
)  # fmt: skip
@pytest.mark.parametrize("prefix", ["utc_", ""])
async def test_a_token_is_renewed_in_time_whatever_our_clock_says(box: WazoSandbox, prefix: str) -> None:
    """The server's clock is three years behind, or ours ahead: only how long a token lives counts."""
    issued = datetime.datetime(2023, 5, 5, 12)
    token = box.state.new_token(box.user("bob"), 60, "c")
    box.state.refresh_tokens["again"] = {
        "user_uuid": token.user_uuid, "client_id": "", "created_at": "", "mobile": False,
    }  # fmt: skip
    data = {
        "token": token.token, "auth_id": token.user_uuid, "refresh_token": "again",
        f"{prefix}issued_at": issued.isoformat(),
        f"{prefix}expires_at": (issued + datetime.timedelta(seconds=1)).isoformat(),
    }  # fmt: skip
    async with Office(box) as office:
        box.faults.fail("auth/0.1/token", 200, method="POST", count=1, body={"data": data})
        state = await office.sign_in("bob")
        assert state.phase is AccountPhase.SIGNED_IN
        first = box.requests("auth/0.1/token", "POST")[-1]
        box.state.refresh_tokens["again"]["client_id"] = first.body["client_id"]
        await eventually(lambda: len(box.requests("auth/0.1/token", "POST")) == 2)
        second = box.requests("auth/0.1/token", "POST")[-1]
        assert second.body["refresh_token"] == "again" and second.at - first.at > 0.7
        await eventually(lambda: len(tokens_of(box, "bob")) == 2)


@pytest.mark.covers("wazo:rest.auth.checkToken", "wazo:param.auth.validateToken.token")
async def test_whether_a_token_is_still_good(box: WazoSandbox) -> None:
    """The advanced window asks for any token; the sandbox knows which are good."""
    async with Office(box) as office:
        await office.sign_in("alice")
        good = tokens_of(box, "alice")[0].token
        assert (await office.command("auth.checkToken", token=good)) is None
        with pytest.raises(ActionRefused) as caught:
            await office.command("auth.checkToken", token="0f0f0f0f-0000-4000-8000-000000000000")
        assert caught.value.failure.code == "not_found"
        box.expire_tokens("alice")
        with pytest.raises(ActionRefused):
            await office.command("auth.checkToken", token=good)


async def test_a_wrong_old_password_does_not_end_the_session(box: WazoSandbox) -> None:
    async with Office(box) as office:
        await office.sign_in("alice")
        with pytest.raises(ActionRefused) as caught:
            await office.do(acc.ChangePassword("not it", "new-one"))
        assert caught.value.failure.code == "wrong_password" and box.user("alice").password == "alicepw"
        assert office.state.phase is AccountPhase.SIGNED_IN
        await office.do(acc.ChangePassword("alicepw", "new-one"))
        assert box.user("alice").password == "new-one"


# ---------------------------------------------------------------- rights and administration


@pytest.mark.covers("wazo:type.logInResult.acl")
async def test_what_the_token_does_not_allow_is_not_offered() -> None:
    async with WazoSandbox(people=0, call_log=0) as box, Office(box) as office:
        bob = box.user("bob")
        token = box.state.new_token(bob, 60)
        token.acl = ("confd.#", "websocketd", "events.#")
        data = {"token": token.token, "auth_id": bob.uuid, "acl": list(token.acl)}
        box.faults.fail("auth/0.1/token", 200, method="POST", body={"data": data})
        state = await office.sign_in("bob")
        assert Service.CHAT not in state.services and Service.CALL_LOG not in state.services
        assert Service.FORWARDS in state.services and Service.CALLS in state.services
        with pytest.raises(ActionRefused) as caught:
            await office.do(acc.OpenChatRoom((box.user("alice").uuid,)))
        assert caught.value.failure.code == "account_absent" and not box.requests("chatd/1.0/users/me/rooms", "POST")
        await office.do(acc.SetDoNotDisturb(True))
        assert bob.services["dnd"]


@pytest.mark.covers(
    "wazo:rest.auth.listTenants", "wazo:rest.auth.createTenant", "wazo:rest.auth.deleteTenant",
    "wazo:rest.auth.createUser", "wazo:rest.auth.addUserEmail", "wazo:rest.auth.addUserPolicy",
    "wazo:rest.auth.deleteUser", "wazo:rest.auth.listUsers", "wazo:rest.auth.listGroups",
    "wazo:rest.auth.createPolicy", "wazo:rest.auth.listPolicies", "wazo:type.logInResult.metadata.tenants",
    "wazo:rest.confd.listUsers", "wazo:rest.confd.listApplications", "wazo:rest.confd.getUser", "wazo:feature.Config",
)  # fmt: skip
async def test_an_administrator_manages_people_groups_policies_and_tenants(box: WazoSandbox) -> None:
    async with Office(box) as office, Office(box) as newcomer:
        state = await office.sign_in("admin")
        assert Service.ADMINISTRATION in state.services
        tenant = await office.command("auth.createTenant", name="Branch")
        assert box.state.tenants[tenant["uuid"]]["name"] == "Branch"
        assert {one["name"] for one in await office.listed("tenants")} == {"Sandbox", "Branch"}
        user = await office.command(
            "auth.createUser", username="nora", password="norapw", firstname="Nora", lastname="New"
        )
        assert (await newcomer.sign_in("nora")).display_name == "Nora New"
        assert Service.ADMINISTRATION not in newcomer.state.services
        with pytest.raises(ActionRefused) as caught:
            await newcomer.listed("tenants")
        assert caught.value.failure.code == "acl_refused"
        await office.command("auth.addUserEmail", userUuid=user["uuid"], email="nora@new.example", main=True)
        assert box.user("nora").settings["email"] == "nora@new.example"
        assert any(one["emails"][0]["address"] == "nora@new.example" for one in await office.listed("logins"))
        policy = await office.command("auth.createPolicy", name="fax only", description="d", acl=["calld.#"])
        assert box.state.policies[policy["uuid"]]["acl"] == ["calld.#"]
        await office.command("auth.addUserPolicy", userUuid=user["uuid"], policyUuid=policy["uuid"])
        assert box.state.policies[policy["uuid"]]["users"] == [user["uuid"]]
        assert {one["name"] for one in await office.listed("policies")} == {"wazo_default_user_policy", "fax only"}
        await office.command("auth.createGroup", name="Here")
        there = await office.command("auth.createGroup", name="There", tenant=tenant["uuid"])
        assert box.state.groups[there["uuid"]]["tenant_uuid"] == tenant["uuid"]
        assert [one["name"] for one in await office.listed("groups")] == ["Here"]
        assert [one["name"] for one in await office.listed("groups", tenant=tenant["uuid"])] == ["There"]
        page = await office.find(acc.FindAdministration("users", text="nora"))
        assert [one["uuid"] for one in page.items] == [user["uuid"]] and page.total == 1
        assert [one["name"] for one in await office.listed("applications")] == ["Lobby"]
        one = await office.do(acc.ApiRequest("GET", f"confd/1.1/users/{user['uuid']}"))
        assert one["lastname"] == "New" and one["services"]["dnd"]["enabled"] is False
        await office.command("auth.deleteUser", userUuid=user["uuid"])
        assert box.state.user_named("nora") is None
        await office.command("auth.deleteTenant", uuid=tenant["uuid"])
        assert tenant["uuid"] not in box.state.tenants


@pytest.mark.covers(
    "wazo:rest.accessd.listSubscriptions", "wazo:rest.accessd.createSubscription", "wazo:rest.accessd.getSubscription",
    "wazo:rest.accessd.listAuthorizations", "wazo:rest.accessd.getAuthorization",
)  # fmt: skip
async def test_subscriptions_and_what_they_authorize(box: WazoSandbox) -> None:
    async with Office(box) as office:
        await office.sign_in("admin")
        made = await office.command("accessd.createSubscription", product_sku="uc-10", name="Office", term=12)
        uuid = made["uuid"]
        assert box.state.subscriptions[uuid]["product_sku"] == "uc-10"
        assert [one["name"] for one in await office.listed("subscriptions")] == ["Office"]
        assert (await office.command("accessd.getSubscription", subscriptionUuid=uuid))["term"] == 12
        entry = {"uuid": "a1", "service": "uc", "rules": [{"name": "calls"}], "subscription_uuid": uuid}
        box.state.subscriptions[uuid]["authorizations"]["a1"] = entry
        assert [one["uuid"] for one in await office.listed("authorizations", uuid)] == ["a1"]
        found = await office.command("accessd.getAuthorization", subscriptionUuid=uuid, authorizationUuid="a1")
        assert found["rules"] == [{"name": "calls"}]
        with pytest.raises(ActionRefused) as caught:
            await office.command("accessd.getSubscription", subscriptionUuid="none")
        assert caught.value.failure.code == "not_found"


@pytest.mark.covers("wazo:option.auth.init.minSubscriptionType", "wazo:option.auth.init.authorizationName")
async def test_the_operator_may_ask_for_a_subscription_and_an_authorization(box: WazoSandbox) -> None:
    from app.vendors.base import SignInFailed
    from tests.e2e.wazo_call import Someone

    for user, options, words in (
        ("erin", {"minSubscriptionType": 0}, "subscription does not include"),
        ("bob", {"minSubscriptionType": 2}, "subscription does not include"),
        ("bob", {"authorizationName": "portal"}, "not authorised"),
    ):
        someone = Someone(box, user, options=options)
        with pytest.raises(SignInFailed) as caught:
            await someone.account.sign_in()
        assert words in caught.value.failure.message and not tokens_of(box, user)
        await someone.account.close()
        await someone.engine.close()
    async with Someone(box, "bob", options={"minSubscriptionType": 1}) as bob:
        assert bob.state.phase is AccountPhase.SIGNED_IN


# ---------------------------------------------------------------- requests, proxy


@pytest.mark.covers("wazo:requester.new", "wazo:requester.call", "wazo:option.requester.token")
async def test_any_request_by_hand(box: WazoSandbox) -> None:
    async with Office(box) as office:
        await office.sign_in("bob")
        made = await office.do(acc.ApiRequest("post", "/api/dird/0.1/personal", {"firstname": "Pia", "number": "77"}))
        assert box.user("bob").personal[made["id"]]["firstname"] == "Pia"
        found = await office.do(acc.ApiRequest("GET", "dird/0.1/personal", query={"order": "firstname"}))
        assert [one["firstname"] for one in found["items"]] == ["Pia"]
        await office.do(acc.ApiRequest("DELETE", f"dird/0.1/personal/{made['id']}"))
        assert not box.user("bob").personal
        with pytest.raises(ActionRefused) as caught:
            await office.do(acc.ApiRequest("GET", "auth/0.1/users"))
        assert caught.value.failure.code == "acl_refused" and "auth.users.read" in caught.value.failure.details


class Proxy:
    """An HTTP proxy that only knows ``CONNECT`` and remembers what it was asked for (RFC 9110 section 9.3.6)."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._server: asyncio.Server | None = None
        self._tunnels: list[asyncio.StreamWriter] = []

    def cut(self) -> None:
        """Break everything that goes through it."""
        for writer in self._tunnels:
            writer.transport.abort()

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split(" ", 2)
        if method != "CONNECT":
            writer.close()
            return
        self.asked.append(target)
        host, _, port = target.rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        self._tunnels += [writer, far_writer]
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    @staticmethod
    async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()


@pytest.mark.covers("wazo:auth.fetchOptions", "wazo:option.api.agent", "wazo:option.requester.agent")
async def test_everything_goes_through_the_proxy_of_the_system(
    box: WazoSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    proxy = Proxy()
    async with proxy as address:
        monkeypatch.setenv("https_proxy", address)
        async with Office(box) as office:
            state = await office.sign_in("bob")
            assert state.phase is AccountPhase.SIGNED_IN, state.failure
            await office.until(lambda s: s.registration is Registration.REGISTERED)
            await eventually(lambda: bool(box.events.sessions))
            assert set(proxy.asked) == {box.host}
            (events,) = box.events.sessions
            # Calls and events go through it too: they end with it, and come back through it.
            asked = len(proxy.asked)
            proxy.cut()
            await eventually(lambda: events not in box.events.sessions)
            await office.until(lambda s: s.registration is Registration.LOST)
            await office.until(lambda s: s.registration is Registration.REGISTERED)
            assert len(proxy.asked) > asked


@pytest.mark.covers("wazo:rest.ctidNg")
async def test_an_old_server_has_calld_under_its_former_name() -> None:
    async with WazoSandbox(people=0, call_log=0, old_calld=True) as box, Office(box) as office:
        await office.sign_in("bob")
        voicemails = (await office.find(acc.FindVoicemails())).items
        assert len(voicemails) == 3 and box.requests("ctid-ng/1.0/users/me/voicemails")
        await office.do(acc.DeleteVoicemail(voicemails[0].id))
        assert len(box.user("bob").voicemails) == 2
        with pytest.raises(ActionRefused) as caught:
            await office.command("calld.cancelCall", callId="none")
        assert caught.value.failure.code == "unknown_call"


# ---------------------------------------------------------------- log server


@pytest.mark.covers(
    "wazo:feature.Log", "wazo:issueReporter.enable", "wazo:issueReporter.configureRemoteClient",
    "wazo:option.issueReporter.host", "wazo:option.issueReporter.port", "wazo:option.issueReporter.tag",
    "wazo:option.issueReporter.level", "wazo:option.issueReporter.extra", "wazo:option.issueReporter.extra.user_uuid",
    "wazo:issueReporter.loggerFor", "wazo:issueReporter.log", "wazo:constant.issueReporter.TRACE",
    "wazo:constant.issueReporter.INFO",
)  # fmt: skip
async def test_the_log_goes_to_the_log_server_from_the_chosen_level_on(box: WazoSandbox) -> None:
    async with WazoSandbox(people=0, call_log=0, tls=False, accounts=(Account("a", "a", "A", "A", "1"),)) as server:
        try:
            for level, traces in (("INFO", False), ("TRACE", True)):
                logs.set_level(level)
                server.state.logs.clear()
                where = f"http://{server.host}/parley"
                how = {
                    "diagnostics__ship_logs": True,
                    "diagnostics__log_server": where,
                    "diagnostics__log_level": level,
                }
                async with Office(box, **how) as office:
                    await office.sign_in("bob")
                    logging.getLogger("app.test.category").info("password=hunter2 is not shown")
                    await eventually(lambda: bool(box.events.sessions))
                # What waits is sent when the account closes.
                entries = list(server.state.logs)
                assert {entry["tag"] for entry in entries} == {"parley"}
                mine = next(entry for entry in entries if entry["category"] == "test.category")
                assert mine["level"] == "info" and "hunter2" not in mine["message"] and mine["date"]
                assert mine["user_uuid"] == box.user("bob").uuid
                assert any(entry["level"] == "trace" and entry["category"] == "http" for entry in entries) is traces
                assert not any(token in str(entries) for token in (*box.state.tokens, *box.state.refresh_tokens))
            server.state.logs.clear()
            async with Office(box, diagnostics__log_server=f"http://{server.host}/parley") as office:
                await office.sign_in("bob")
            assert not server.state.logs
        finally:
            logs.set_level("INFO")
