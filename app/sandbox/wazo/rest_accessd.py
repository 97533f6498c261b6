"""accessd: subscriptions of a hosted stack and what they authorize (wazo.md 7.12)."""

from __future__ import annotations

import uuid
from typing import Any

from app.sandbox.wazo.http import NO_CONTENT, Call, Reply, Service, not_found, page

service = Service("accessd/1.0", "A")
SUBSCRIPTION = ("product_sku", "name", "start_date", "contract_date", "auto_renew", "term")
AUTHORIZATION = ("start_date", "term", "service", "rules", "auto_renew")


def _chosen(call: Call, names: tuple[str, ...]) -> dict[str, Any]:
    return {"uuid": str(uuid.uuid4()), **{name: call.body.get(name) for name in names}}


def _subscription(call: Call) -> dict[str, Any]:
    found = call.state.subscriptions.get(call.params["subscription"])
    if found is None:
        raise not_found("No such subscription", "unknown-subscription")
    return found


def _public(subscription: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in subscription.items() if key != "authorizations"}


@service.route("GET", "subscriptions", "accessd.subscriptions.read")
def subscriptions(call: Call) -> Any:
    return page(call, [_public(one) for one in call.state.subscriptions.values()])


@service.route("POST", "subscriptions", "accessd.subscriptions.create")
def create_subscription(call: Call) -> Reply:
    call.text("product_sku")
    entry = {**_chosen(call, SUBSCRIPTION), "tenant_uuid": call.tenant, "authorizations": {}}
    call.state.subscriptions[entry["uuid"]] = entry
    return Reply(201, _public(entry))


@service.route("GET", "subscriptions/{subscription}", "accessd.subscriptions.{subscription}.read")
def subscription(call: Call) -> Any:
    return _public(_subscription(call))


@service.route("DELETE", "subscriptions/{subscription}", "accessd.subscriptions.{subscription}.delete")
def delete_subscription(call: Call) -> Reply:
    del call.state.subscriptions[_subscription(call)["uuid"]]
    return NO_CONTENT


ONE = "subscriptions/{subscription}/authorizations"
ACL = "accessd.subscriptions.{subscription}.authorizations"


@service.route("GET", ONE, ACL + ".read")
def authorizations(call: Call) -> Any:
    return page(call, list(_subscription(call)["authorizations"].values()))


@service.route("POST", ONE, ACL + ".create")
def create_authorization(call: Call) -> Reply:
    entry = {**_chosen(call, AUTHORIZATION), "subscription_uuid": _subscription(call)["uuid"]}
    _subscription(call)["authorizations"][entry["uuid"]] = entry
    return Reply(201, entry)


@service.route("GET", ONE + "/{authorization}", ACL + ".{authorization}.read")
def authorization(call: Call) -> Any:
    found: dict[str, Any] | None = _subscription(call)["authorizations"].get(call.params["authorization"])
    if found is None:
        raise not_found("No such authorization", "unknown-authorization")
    return found
