"""Contacts in and out as vCard and CSV."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.calls.accounts import Contact, PhoneNumber
from app.calls.model import frozen_map
from app.vendors.wazo.vcard import LINE_OCTETS, normalise_csv, read_vcards, write_vcards

CARD = """BEGIN:VCARD\r
VERSION:3.0\r
N:Ångström;Zoë;;;\r
FN:Zoë Ångström\r
item1.TEL;TYPE=CELL:+33 6 12\r
TEL;TYPE=work,voice:1042\r
EMAIL;TYPE=INTERNET:zoe@example.org\r
ORG:ACME\\, Inc.;R&D\r
NOTE:a very long note that was\r
  folded\r
END:VCARD\r
"""


def test_a_card_of_another_program() -> None:
    (contact,) = read_vcards(CARD)
    assert contact.name == "Zoë Ångström" and contact.email == "zoe@example.org" and contact.personal
    assert [(n.number, n.label) for n in contact.numbers] == [("+33 6 12", "mobile"), ("1042", "phone")]
    assert contact.fields["entreprise"] == "ACME, Inc." and contact.fields["lastname"] == "Ångström"
    assert contact.fields["note"] == "a very long note that was folded"


NAMES = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("Cc",)), min_size=1, max_size=60
)


@given(NAMES, NAMES, st.from_regex(r"[0-9]{3,12}", fullmatch=True))
def test_what_is_written_is_read_again(first: str, last: str, number: str) -> None:
    fields = frozen_map({"firstname": first, "lastname": last})
    contact = Contact("", "personal", f"{first} {last}", (PhoneNumber(number, "number"),), fields=fields)
    text = write_vcards([contact])
    assert all(len(line.encode()) <= LINE_OCTETS for line in text.split("\r\n"))
    (again,) = read_vcards(text)
    expected = [" ".join(t for t in part.split()) for part in (first, last)]
    printable = [p for p in expected if p.isprintable()]
    if len(printable) == 2:
        assert again.numbers[0].number == number
        assert [again.fields.get("firstname"), again.fields.get("lastname")] == expected


@given(st.text(max_size=400))
def test_any_text_is_read_without_raising(text: str) -> None:
    read_vcards(text)
    read_vcards(f"BEGIN:VCARD\n{text}\nEND:VCARD")
    normalise_csv(text)


def test_csv_of_other_programs_gets_the_servers_columns() -> None:
    out = normalise_csv("\ufeffFirst Name;Last Name;Phone;Company;Unknown\nBob;Baker;1002;ACME;x\n;;;;\n")
    assert out == "firstname,lastname,number,entreprise\r\nBob,Baker,1002,ACME\r\n"
    assert normalise_csv("a,b\n1,2") == "" == normalise_csv("")
