from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError

WHATSAPP = {
    "WAYMARK_WHATSAPP_TOKEN": "token",
    "WAYMARK_WHATSAPP_PHONE_ID": "1",
    "WAYMARK_WHATSAPP_APP_SECRET": "secret",
    "WAYMARK_WHATSAPP_VERIFY_TOKEN": "verify",
}


def test_without_any_variable_the_defaults_hold():
    assert Settings.load({}) == Settings()


def test_values_are_read_from_their_variables(monkeypatch):
    given = {"WAYMARK_PORT": "9000", "WAYMARK_HOME": "/srv/waymark", "WAYMARK_REST": "yes", "PORT": "1"}
    settings = Settings.load(given)
    assert (settings.port, settings.home, settings.rest) == (9000, Path("/srv/waymark"), True)
    monkeypatch.setenv("WAYMARK_RETENTION_DAYS", "14")
    assert Settings.load().retention_days == 14


@pytest.mark.parametrize(
    ("written", "meant"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("No", False), ("", False)]
)
def test_a_switch_is_read_in_the_usual_spellings(written, meant):
    assert Settings.load({"WAYMARK_SECURE_COOKIES": written}).secure_cookies is meant


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WAYMARK_PORT", "many"),
        ("WAYMARK_PORT", "0"),
        ("WAYMARK_RETENTION_DAYS", "-1"),
        ("WAYMARK_RETENTION_DAYS", ""),
        ("WAYMARK_REST", "perhaps"),
    ],
)
def test_a_value_that_cannot_be_used_is_an_error_that_names_the_variable(variable, value):
    with pytest.raises(SettingsError, match=variable):
        Settings.load({variable: value})


def test_a_secret_may_stand_in_a_file(tmp_path):
    path = tmp_path / "token"
    path.write_text("123:abc\n")
    assert Settings.load({"WAYMARK_TELEGRAM_TOKEN_FILE": str(path)}).telegram_token == "123:abc"


def test_a_secrets_file_wins_over_the_variable(tmp_path):
    path = tmp_path / "token"
    path.write_text("from the file")
    given = {"WAYMARK_TELEGRAM_TOKEN": "from the variable", "WAYMARK_TELEGRAM_TOKEN_FILE": str(path)}
    assert Settings.load(given).telegram_token == "from the file"


def test_a_secrets_file_that_cannot_be_read_is_an_error_that_names_both():
    with pytest.raises(SettingsError, match=r"WAYMARK_SECRET_KEY_FILE names /nowhere/key"):
        Settings.load({"WAYMARK_SECRET_KEY_FILE": "/nowhere/key"})


def test_what_is_not_secret_is_not_read_from_files(tmp_path):
    path = tmp_path / "port"
    path.write_text("9000")
    assert Settings.load({"WAYMARK_PORT_FILE": str(path)}).port == Settings().port


def test_secrets_do_not_show_when_settings_are_printed():
    secrets = {
        "WAYMARK_TELEGRAM_TOKEN": "s3cret-token",
        "WAYMARK_DATABASE_URL": "postgresql://waymark:s3cret-word@db/waymark",
        "WAYMARK_REDIS_URL": "redis://:s3cret-redis@redis",
        "WAYMARK_SECRET_KEY": "s3cret-key",
    }
    assert "s3cret" not in repr(Settings.load(secrets))


def test_whatsapp_set_up_in_full_is_accepted():
    assert Settings.load(WHATSAPP).whatsapp_phone_id == "1"


@pytest.mark.parametrize("missing", sorted(set(WHATSAPP) - {"WAYMARK_WHATSAPP_TOKEN"}))
def test_whatsapp_without_what_makes_it_safe_is_an_error_that_names_it(missing):
    with pytest.raises(SettingsError, match=missing):
        Settings.load({key: value for key, value in WHATSAPP.items() if key != missing})


def test_a_telegram_webhook_needs_a_public_address():
    with pytest.raises(SettingsError, match="WAYMARK_PUBLIC_URL"):
        Settings.load({"WAYMARK_TELEGRAM_SECRET": "x"})
    assert Settings.load({"WAYMARK_TELEGRAM_SECRET": "x", "WAYMARK_PUBLIC_URL": "https://example.org"})


def test_databases_are_sqlite_files_in_the_home_folder_unless_set(tmp_path):
    settings = Settings(home=tmp_path)
    assert settings.database == f"sqlite:///{tmp_path}/waymark.db"
    assert settings.tracker == f"sqlite:///{tmp_path}/tracker.db"
    assert settings.database != settings.tracker
    assert Settings(database_url="postgresql://db/x").database == "postgresql://db/x"
    assert Settings(tracker_url="postgresql://db/y").tracker == "postgresql://db/y"


@pytest.mark.parametrize(
    ("given", "secure"),
    [
        ({}, False),
        ({"public_url": "https://example.org"}, True),
        ({"public_url": "http://example.org"}, False),
        ({"secure_cookies": True}, True),
    ],
)
def test_cookies_travel_over_https_alone_once_the_public_address_does(given, secure):
    assert Settings(**given).secure is secure


def test_settings_cannot_be_changed_while_running():
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc]  # that it is refused is the point
