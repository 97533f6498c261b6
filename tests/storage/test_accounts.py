from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage import accounts
from app.storage.accounts import AccountRecord, AccountStore

ANNA = AccountRecord("1", "wazo", "phone.example.org", "anna", display_name="Anna", missed_calls=2)
BOB = AccountRecord("2", "wazo", "phone.example.org", "bob", stay_signed_in=False)


def test_accounts_come_back_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "private" / "accounts.json"
    store = AccountStore(path)
    store.keep(ANNA)
    store.keep(BOB)
    store.keep(ANNA)
    assert AccountStore(path).records() == (ANNA, BOB)
    assert path.stat().st_mode & 0o077 == 0
    store.forget("1")
    store.forget("never was")
    assert AccountStore(path).records() == (BOB,) and AccountStore(path).get("1") is None


def test_a_damaged_file_is_kept_aside_and_told(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    path.write_text('{"accounts": 7}')
    store = AccountStore(path)
    assert store.records() == () and "damaged" in store.problems[0]
    assert (tmp_path / "accounts.json.broken-1").exists()
    store.keep(ANNA)
    assert AccountStore(path).records() == (ANNA,)


def test_what_cannot_be_written_is_told_and_kept_for_this_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = AccountStore(tmp_path / "file" / "accounts.json")
    store.keep(ANNA)
    assert store.records() == (ANNA,) and store.problems


def test_there_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MAX_ACCOUNTS", 1)
    store = AccountStore()
    store.keep(ANNA)
    with pytest.raises(ValueError, match="at most 1"):
        store.keep(BOB)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
entries = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("account_id", "vendor", "server", "user", "missed_calls"), json_values)
)


@given(st.lists(entries | json_values, max_size=5))
def test_any_list_is_read_without_an_error(tmp_path_factory: pytest.TempPathFactory, found: list[object]) -> None:
    path = tmp_path_factory.mktemp("accounts") / "accounts.json"
    path.write_text(json.dumps({"accounts": found}))
    for record in AccountStore(path).records():
        assert record.account_id and record.vendor and record.server
        assert isinstance(record.missed_calls, int)
