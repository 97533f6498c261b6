"""Addresses ``node@domain/resource`` (RFC 7622), without normalisation beyond lower-casing of the bare part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Jid:
    node: str
    domain: str
    resource: str = ""

    @classmethod
    def parse(cls, text: str | None) -> Jid:
        """Never fails: what is missing is empty."""
        bare, _, resource = (text or "").partition("/")
        node, at, domain = bare.rpartition("@")
        return cls(node.lower() if at else "", domain.lower(), resource)

    @property
    def bare(self) -> str:
        return f"{self.node}@{self.domain}" if self.node else self.domain

    def __str__(self) -> str:
        return f"{self.bare}/{self.resource}" if self.resource else self.bare


def bare(text: str | None) -> str:
    return Jid.parse(text).bare


def resource(text: str | None) -> str:
    return (text or "").partition("/")[2]
