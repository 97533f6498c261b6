"""accessd: subscriptions and authorizations of hosted stacks (wazo.md 7.12). Most servers do not have it: 404."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.vendors.wazo.wire import ACCESSD, RestRequest, path


def list_subscriptions() -> RestRequest:
    return RestRequest("GET", f"{ACCESSD}/subscriptions")


def create_subscription(body: Mapping[str, Any]) -> RestRequest:
    return RestRequest("POST", f"{ACCESSD}/subscriptions", body=dict(body))


def get_subscription(uuid: str) -> RestRequest:
    return RestRequest("GET", path(f"{ACCESSD}/subscriptions", uuid))


def list_authorizations(subscription: str) -> RestRequest:
    return RestRequest("GET", path(f"{ACCESSD}/subscriptions", subscription, "authorizations"))


def get_authorization(subscription: str, authorization: str) -> RestRequest:
    return RestRequest("GET", path(f"{ACCESSD}/subscriptions", subscription, "authorizations", authorization))
