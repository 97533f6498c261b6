"""Synthetic people, calls and voicemails: always the same for the same seed."""

from __future__ import annotations

import datetime
import random
import re
import uuid
from dataclasses import dataclass
from typing import Any

FIRST = tuple(
    re.findall(
        r"\S+",
        """Ada Agnes Albert Amara Anders Beatriz Bruno Chiara Claire Dalia Dmitri Elif Emil Fatima Felix Gita
        Hana Henrik Ines Ivo Jana Jonas Kaito Kira Lars Leila Luca Maeve Mateo Mina Nadia Nils Olga Omar Paula
        Quentin Rosa Sami Tara Tomás Ulla Viktor Wanda Xenia Yara Yusuf Zoë Ægir Łukasz Škoda""",
    )
)
LAST = tuple(
    re.findall(
        r"\S+",
        """Abbott Becker Castro Dubois Eriksen Fischer García Hoffmann Ivanova Jansen Kowalski Lindqvist Moreau
        Nakamura O'Brien Petrov Quispe Rossi Schneider Tanaka Ueda Vasquez Weber Xu Yilmaz Zieliński Müller Nguyễn""",
    )
)
NAMESPACE = uuid.UUID("6f1d2c7e-98e3-4c0c-8a7d-5b5d7c3c6a11")


def stable_uuid(*parts: object) -> str:
    """The same for the same parts, in every run."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, parts))))


@dataclass(frozen=True, slots=True)
class Person:
    """An entry of the company directory."""

    id: int
    uuid: str
    firstname: str
    lastname: str
    exten: str
    email: str
    mobile: str
    voicemail: str

    @property
    def name(self) -> str:
        return f"{self.firstname} {self.lastname}"


def make_people(count: int, seed: int) -> list[Person]:
    found = []
    chance = random.Random(seed)
    for number in range(count):
        first, last = FIRST[number % len(FIRST)], LAST[(number // len(FIRST) + number) % len(LAST)]
        mail = f"{first}.{last}.{number}@example.com".lower().replace("'", "")
        mobile = f"+4479{chance.randrange(10**7, 10**8)}" if number % 3 else ""
        uuid_ = stable_uuid("person", number)
        found.append(Person(1000 + number, uuid_, first, last, str(2000 + number), mail, mobile, ""))
    return found


def make_call_log(count: int, user_uuid: str, name: str, exten: str, people: list[Person], seed: int) -> list[Any]:
    """Call records of one person, newest first, shaped as in wazo.md 7.6."""
    chance = random.Random(f"{seed}/{user_uuid}")
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    records = []
    for number in range(count):
        now -= datetime.timedelta(minutes=chance.randrange(5, 400))
        other = people[chance.randrange(len(people))] if people else None
        incoming = chance.random() < 0.5
        answered = chance.random() < 0.7
        status = "answered" if answered else chance.choice(("unknown", "voicemail" if incoming else "unknown"))
        duration = chance.randrange(3, 3600) if answered else None
        them = (other.name, other.exten, other.uuid) if other is not None else ("", "5551234", None)
        me = (name, exten, user_uuid)
        record = cdr(
            count - number, me if not incoming else them, them if not incoming else me, now, duration,
            "inbound" if incoming and number % 4 == 0 else "internal" if incoming or number % 3 else "outbound", status,
        )  # fmt: skip
        if answered and number % 10 == 0:
            record["recordings"] = [recording(record)]
        records.append(record)
    return records


def recording(record: dict[str, Any]) -> dict[str, Any]:
    uuid_ = stable_uuid("recording", record["id"], record["start"])
    return {
        "uuid": uuid_,
        "start_time": record["answer"],
        "end_time": record["end"],
        "deleted": False,
        "filename": f"{uuid_}.wav",
    }


def cdr(
    number: int,
    source: tuple[str, str, str | None],
    destination: tuple[str, str, str | None],
    start: datetime.datetime,
    duration: int | None,
    direction: str,
    status: str,
) -> dict[str, Any]:
    """One call record; *source* and *destination* are name, extension and user uuid."""
    answer = start + datetime.timedelta(seconds=4) if duration is not None else None
    end = start + datetime.timedelta(seconds=4 + (duration or 20))
    return {
        "id": number,
        "tenant_uuid": stable_uuid("tenant"),
        "start": start.isoformat(),
        "answer": answer.isoformat() if answer else None,
        "end": end.isoformat(),
        "answered": answer is not None,
        "duration": duration,
        "call_direction": direction,
        "call_status": status,
        "conversation_id": f"{int(start.timestamp())}.{number}",
        **_party("source", source),
        "requested_name": destination[0],
        "requested_extension": destination[1],
        "requested_context": "default",
        "requested_user_uuid": destination[2],
        "requested_internal_extension": destination[1],
        "requested_internal_context": "default",
        **_party("destination", destination),
        "destination_details": {"type": "user", "user_uuid": destination[2], "user_name": destination[0]}
        if destination[2]
        else {"type": "unknown"},
        "tags": [],
        "recordings": [],
    }


def _party(role: str, party: tuple[str, str, str | None]) -> dict[str, Any]:
    return {
        f"{role}_name": party[0],
        f"{role}_extension": party[1],
        f"{role}_user_uuid": party[2],
        f"{role}_line_id": None,
        f"{role}_internal_extension": party[1],
        f"{role}_internal_context": "default",
        f"{role}_internal_name": party[0],
    }
