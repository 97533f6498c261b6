"""Transfers by REFER and by calld, relocation, and calls that take the place of others (wazo.md 4.11, 7.2)."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.protocols.sip.message import user_of
from app.sandbox.wazo.bridges import MusicRobot, PairBridge
from app.sandbox.wazo.legs import Leg

if TYPE_CHECKING:
    from app.protocols.sip.dialog import Replaces
    from app.protocols.sip.events import IncomingCall, ReferReceived
    from app.sandbox.wazo.call_server import CallServer
    from app.sandbox.wazo.state import User


@dataclass(eq=False)
class Transfer:
    """One of calld's transfers."""

    id: str
    user: User
    initiator: Leg
    transferred: Leg
    flow: str
    status: str = "starting"
    recipient: Leg | None = None
    attempt: Any = None

    def data(self, tenant_uuid: str) -> dict[str, Any]:
        return {
            "id": self.id, "initiator_uuid": self.user.uuid, "initiator_tenant_uuid": tenant_uuid,
            "transferred_call": self.transferred.id, "initiator_call": self.initiator.id,
            "recipient_call": self.recipient.id if self.recipient else None, "status": self.status, "flow": self.flow,
        }  # fmt: skip


class Transfers:
    def __init__(self, server: CallServer) -> None:
        self.server = server
        self.open: dict[str, Transfer] = {}
        self.relocates: dict[str, dict[str, Any]] = {}
        self.referred: list[tuple[str, str]] = []
        """(leg id, target) of every REFER, for tests."""

    # ------------------------------------------------------------------ REFER

    def refer(self, leg: Leg, event: ReferReceived) -> None:
        """A client asks to send its other party elsewhere."""
        agent = leg.peer.agent
        self.referred.append((leg.id, event.target))
        others = leg.bridge.others(leg) if leg.bridge is not None else []
        robot = leg.bridge is not None and leg.bridge.robot_id
        if len(others) != 1 and not (robot and event.replaces):
            leg.command(lambda a, now: a.reject_refer(event.id, now, 400))
            return
        agent.accept_refer(event.id, time.monotonic())
        leg.command(lambda a, now: a.notify_refer(event.id, 100, now))
        if event.replaces is not None:
            self._attended(leg, event, event.replaces)
            return
        other = others[0]
        self._take_over(leg, other)

        def done(branch: Leg | None, status: int) -> None:
            leg.command(lambda a, now: a.notify_refer(event.id, status, now))
            if status >= 300:
                other.hang_up()

        self.server.dialing.connect(other, user_of(event.target) or event.target, done)

    def _take_over(self, leg: Leg, other: Leg) -> None:
        """Part *leg* from *other*, which goes on without it. The client hangs up its own leg."""
        bridge = leg.bridge
        if bridge is not None:
            bridge.leave(leg)
            bridge.leave(other)
        self.server.dialing.later(2.0, lambda: None if leg.ended else leg.hang_up())

    def find(self, replaces: Replaces) -> Leg | None:
        """The leg whose dialog *replaces* names, over all connections."""
        for peer in self.server.sockets.peers:
            key = peer.agent.find_replaced(replaces)
            leg = self.server.leg_of(peer, key) if key else None
            if leg is not None:
                return leg
        return None

    def _attended(self, leg: Leg, event: ReferReceived, replaces: Replaces) -> None:
        """The other parties of two calls of one client are joined; both its legs end."""
        second = self.find(replaces)
        if second is None:
            leg.command(lambda a, now: a.notify_refer(event.id, 481, now))
            return
        self.join_others(leg, second)
        leg.command(lambda a, now: a.notify_refer(event.id, 200, now))
        for mine in (leg, second):
            self.server.dialing.later(0.5, lambda x=mine: None if x.ended else x.hang_up())  # type: ignore[misc]

    def join_others(self, first: Leg, second: Leg) -> None:
        """Connect whom *first* talks to with whom *second* talks to."""
        mine, theirs = self._party(first), self._party(second)
        robot = next((x.bridge for x in (second, first) if x.bridge is not None and x.bridge.robot_id), None)
        for leg in (first, second):
            if leg.bridge is not None and leg.bridge is not robot:
                leg.bridge.leave(leg)
        if mine is not None and theirs is not None:
            for leg in (mine, theirs):
                if leg.bridge is not None:
                    leg.bridge.leave(leg)
            PairBridge(self.server, mine, theirs)
            for leg in (mine, theirs):
                leg.publish("call_updated")
        elif robot is not None and (human := mine or theirs) is not None:
            # The robot goes on with the other person.
            owner = next(iter(robot.members), None)
            if owner is not None:
                robot.leave(owner)
            if human.bridge is not None:
                human.bridge.leave(human)
            robot.join(human)
            human.publish("call_updated")

    @staticmethod
    def _party(leg: Leg) -> Leg | None:
        others = leg.bridge.others(leg) if leg.bridge is not None else []
        return others[0] if len(others) == 1 else None

    async def replace(self, leg: Leg, event: IncomingCall) -> None:
        """A new call that takes the place of another leg (RFC 3891)."""
        old = self.find(event.replaces) if event.replaces is not None else None
        party = self._party(old) if old is not None else None
        if old is None or party is None:
            leg.reject(481)
            return
        if event.sdp is None or not await leg.negotiated(leg.media.accept(event.sdp)):
            leg.reject(488, 58)
            return
        if leg.answer():
            if old.bridge is not None:
                old.bridge.leave(old)
            if party.bridge is not None:
                party.bridge.leave(party)
            PairBridge(self.server, party, leg)
            old.hang_up()

    # ------------------------------------------------------------------ calld

    def publish(self, transfer: Transfer, what: str) -> None:
        state = self.server.state
        data = {**transfer.data(state.tenant_uuid), "tenant_uuid": state.tenant_uuid}
        uuid_ = transfer.user.uuid
        state.bus.publish(f"transfer_{what}", data, [uuid_], f"events.transfers.{uuid_}")

    def start(self, user: User, leg: Leg, number: str, flow: str, timeout_s: float = 0.0) -> Transfer | None:
        """Begin; ``None`` when the call has no single other party."""
        party = self._party(leg)
        if party is None:
            return None
        transfer = Transfer(str(uuid.uuid4()), user, leg, party, flow)
        self.open[transfer.id] = transfer
        self.publish(transfer, "created")
        if flow == "blind":
            self._blind(transfer, number)
        else:
            self._consult(transfer, number, timeout_s)
        return transfer

    def _blind(self, transfer: Transfer, number: str) -> None:
        self._take_over(transfer.initiator, transfer.transferred)
        transfer.status = "blind_transferred"
        self.publish(transfer, "updated")

        def done(branch: Leg | None, status: int) -> None:
            transfer.recipient = branch
            self._end(transfer, "completed" if status < 300 else "abandoned")
            if status >= 300:
                transfer.transferred.hang_up()

        self.server.dialing.connect(transfer.transferred, number, done)
        transfer.initiator.hang_up()

    def _consult(self, transfer: Transfer, number: str, timeout_s: float) -> None:
        leg, other = transfer.initiator, transfer.transferred
        assert leg.bridge is not None
        leg.bridge.leave(leg)
        other.transferred = True
        MusicRobot(self.server, other)
        transfer.status = "ringback"
        self.publish(transfer, "updated")

        def done(branch: Leg | None, status: int) -> None:
            if transfer.id not in self.open:
                if branch is not None:
                    branch.hang_up()
                return
            if status >= 300:
                self.cancel(transfer)
                return
            transfer.recipient, transfer.status = branch, "answered"
            self.publish(transfer, "answered")

        self.server.dialing.connect(leg, number, done)

    def complete(self, transfer: Transfer) -> None:
        """The initiator leaves; the other two talk."""
        transfer.transferred.transferred = False
        leg = transfer.initiator
        bridge = leg.bridge
        if bridge is not None and bridge.robot_id and not bridge.others(leg):
            bridge.leave(leg)
            if transfer.transferred.bridge is not None:
                transfer.transferred.bridge.leave(transfer.transferred)
            bridge.join(transfer.transferred)
        else:
            self.join_others_directly(transfer)
        self._end(transfer, "completed")
        leg.hang_up()

    def join_others_directly(self, transfer: Transfer) -> None:
        recipient, other = transfer.recipient or self._party(transfer.initiator), transfer.transferred
        if recipient is None:
            return
        for leg in (transfer.initiator, recipient, other):
            if leg.bridge is not None:
                leg.bridge.leave(leg)
        PairBridge(self.server, other, recipient)
        for leg in (other, recipient):
            leg.publish("call_updated")

    def cancel(self, transfer: Transfer) -> None:
        """The recipient goes, the first two talk again."""
        leg, other = transfer.initiator, transfer.transferred
        other.transferred = False
        recipient = transfer.recipient or self._party(leg)
        for one in (leg, other, recipient):
            if one is not None and one.bridge is not None:
                one.bridge.leave(one)
        if recipient is not None and recipient is not other:
            recipient.hang_up()
        if not leg.ended and not other.ended:
            PairBridge(self.server, leg, other)
        self._end(transfer, "cancelled")

    def _end(self, transfer: Transfer, what: str) -> None:
        if self.open.pop(transfer.id, None) is not None:
            self.publish(transfer, what)
            self.publish(transfer, "ended")

    # ------------------------------------------------------------------ relocation

    def relocate(self, user: User, leg: Leg, wish: dict[str, Any]) -> dict[str, Any] | None:
        """Move a call to another phone of the same user; ``None`` when that is not possible."""
        party = self._party(leg)
        location = wish.get("location") or {}
        if party is None:
            return None
        record = {
            "uuid": str(uuid.uuid4()), "relocated_call": leg.id, "initiator_call": leg.id, "recipient_call": None,
            "completions": wish.get("completions", ["answer"]), "initiator": user.uuid, "timeout": 30,
            "auto_answer": bool(wish.get("auto_answer")), "tenant_uuid": self.server.state.tenant_uuid,
        }  # fmt: skip
        self.relocates[record["uuid"]] = record
        acl = f"events.relocates.{user.uuid}"
        bus = self.server.state.bus

        def taken(branch: Leg) -> None:
            record["recipient_call"] = branch.id
            bus.publish("relocate_answered", record, [user.uuid], acl)
            for one in (leg, party):
                if one.bridge is not None:
                    one.bridge.leave(one)
            PairBridge(self.server, party, branch)
            leg.hang_up()
            for what in ("completed", "ended"):
                bus.publish(f"relocate_{what}", record, [user.uuid], acl)
            self.relocates.pop(str(record["uuid"]), None)

        def failed(status: int, cause: int) -> None:
            bus.publish("relocate_ended", record, [user.uuid], acl)
            self.relocates.pop(str(record["uuid"]), None)

        bus.publish("relocate_initiated", record, [user.uuid], acl)
        self.server.dialing.ring(
            user, None, taken, failed, name=party.name, number=party.number, video=leg.media.has_video(),
            auto_answer=bool(wish.get("auto_answer")), contact=str(location.get("contact") or ""),
            line_id=int(location.get("line_id") or 0),
        )  # fmt: skip
        return record
