from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from bot import accounts
from bot.accounts import AccountRefused, TooManyAttempts
from bot.storage.account import ROLES, Account, AuditEvent, LoginAttempt
from tests.conftest import NOON

PASSWORD = "correct horse battery"
EMAIL = "ana@example.org"


@pytest.fixture
def ana(database) -> Account:
    return make(database)


def make(database, email: str = EMAIL, **values: object) -> Account:
    given = {"name": "Ana", "roles": ["counsellor"], "password": PASSWORD} | values
    with database.write() as session:
        return accounts.create(session, email=email, **given)


def sign_in(database, password: str = PASSWORD, *, email: str = EMAIL, address: str = "192.0.2.1") -> Account | None:
    with database.write() as session:
        return accounts.authenticate(session, email=email, password=password, address=address, key="key")


def again(database, account: Account) -> Account:
    with database.read() as session:
        return session.get_one(Account, account.id)


def trace(database) -> list[tuple[int | None, str]]:
    with database.read() as session:
        return [(row.account_id, row.action) for row in session.scalars(select(AuditEvent).order_by(AuditEvent.id))]


def test_a_password_is_kept_as_an_argon2_hash_alone(database, ana):
    assert ana.password.startswith("$argon2id$")
    assert PASSWORD not in ana.password
    assert make(database, "bilal@example.org").password != ana.password, "each has its own salt"


def test_an_e_mail_address_is_one_however_it_is_spelled(database, ana):
    assert make(database, "  Bilal@Example.ORG ").email == "bilal@example.org"
    with pytest.raises(AccountRefused, match="already"):
        make(database, "ANA@example.org")
    assert sign_in(database, email=" Ana@Example.org").id == ana.id


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"email": "nobody"}, "e-mail"),
        ({"email": f"{'x' * 250}@example.org"}, "e-mail"),
        ({"roles": []}, "roles"),
        ({"roles": ["counsellor", "root"]}, "roles"),
        ({"name": "  "}, "name"),
        ({"password": "x" * 11}, "12 characters"),
    ],
)
def test_an_account_that_cannot_be_used_is_refused_with_the_reason(database, values, problem):
    with pytest.raises(AccountRefused, match=problem):
        make(database, **({"email": EMAIL} | values))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Account)) == 0


def test_the_right_password_signs_in_and_leaves_a_trace(database, ana):
    assert sign_in(database).id == ana.id
    assert trace(database) == [(ana.id, "login")]


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD.upper(), f"{PASSWORD} "])
def test_a_wrong_password_does_not(database, ana, password):
    assert sign_in(database, password) is None
    assert trace(database) == []


def test_an_unknown_e_mail_does_not(database):
    assert sign_in(database) is None


def test_a_deactivated_account_does_not(database, ana):
    admin = make(database, "root@example.org", roles=["admin"])
    with database.write() as session:
        accounts.deactivate(session, by=admin, account_id=ana.id)
    assert sign_in(database) is None


def test_after_too_many_failures_the_door_is_closed_even_for_the_right_password(database, ana):
    for number in range(accounts.MAX_FAILURES):
        assert sign_in(database, "wrong", address=f"192.0.2.{number}") is None
    with pytest.raises(TooManyAttempts):
        sign_in(database, address="192.0.2.99")


def test_one_address_cannot_try_many_accounts(database, ana):
    for number in range(accounts.MAX_FAILURES):
        sign_in(database, "wrong", email=f"guess{number}@example.org")
    with pytest.raises(TooManyAttempts):
        sign_in(database)
    assert sign_in(database, address="198.51.100.7").id == ana.id


def test_the_door_opens_again_after_a_while(database, ana):
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(accounts.MAX_FAILURES):
            sign_in(database, "wrong")
        clock.shift(accounts.WINDOW - timedelta(seconds=1))
        with pytest.raises(TooManyAttempts):
            sign_in(database)
        clock.shift(timedelta(seconds=2))
        assert sign_in(database).id == ana.id


def test_signing_in_forgives_the_failures_before_it(database, ana):
    for _ in range(3):
        for number in range(accounts.MAX_FAILURES - 1):
            assert sign_in(database, "wrong", address=f"192.0.2.{number}") is None
        assert sign_in(database, address="198.51.100.7").id == ana.id
        with database.write() as session:
            session.execute(LoginAttempt.__table__.delete())


def test_failures_are_counted_without_naming_anybody(database, ana):
    sign_in(database, "wrong")
    with database.read() as session:
        subjects = list(session.scalars(select(LoginAttempt.subject)))
    assert len(subjects) == 2
    assert not [subject for subject in subjects if "ana" in subject or "192" in subject]


def test_the_first_administrator_is_made_once_with_a_password_to_change(database):
    with database.write() as session:
        email, password = accounts.first_admin(session)
        assert accounts.first_admin(session) is None
    account = sign_in(database, password, email=email)
    assert account.must_change
    assert set(account.roles) == set(ROLES)


def test_a_new_password_replaces_the_old_one_and_ends_all_sessions(database, ana):
    with database.write() as session:
        accounts.change_password(session, account_id=ana.id, password="another good one")
    assert sign_in(database) is None
    assert sign_in(database, "another good one").id == ana.id
    assert again(database, ana).session_epoch == ana.session_epoch + 1
    assert again(database, ana).must_change is False


@pytest.mark.parametrize(("password", "problem"), [(PASSWORD, "old one"), ("short", "12 characters")])
def test_a_new_password_must_be_new_and_long_enough(database, ana, password, problem):
    with pytest.raises(AccountRefused, match=problem), database.write() as session:
        accounts.change_password(session, account_id=ana.id, password=password)
    assert sign_in(database).session_epoch == ana.session_epoch


def test_an_invited_person_gets_a_password_that_must_be_changed(database, ana):
    with database.write() as session:
        invited, password = accounts.invite(session, by=ana, email="b@example.org", name="Bilal", roles=["editor"])
    assert sign_in(database, password, email="b@example.org").must_change
    assert trace(database)[0] == (ana.id, "account.add")
    assert password not in again(database, invited).password


def test_readmitting_opens_a_closed_account_with_a_new_password(database, ana):
    admin = make(database, "root@example.org", roles=["admin"])
    with database.write() as session:
        accounts.deactivate(session, by=admin, account_id=ana.id)
        _account, password = accounts.readmit(session, by=admin, account_id=ana.id)
    assert sign_in(database) is None
    assert sign_in(database, password).must_change
    assert again(database, ana).session_epoch == ana.session_epoch + 2


def test_nobody_can_close_their_own_account(database, ana):
    with pytest.raises(AccountRefused), database.write() as session:
        accounts.deactivate(session, by=ana, account_id=ana.id)
    assert again(database, ana).active


def test_a_password_hash_that_is_damaged_signs_nobody_in(database, ana):
    with database.write() as session:
        session.get_one(Account, ana.id).password = "damaged"
    assert sign_in(database) is None
