"""All settings, read once from the environment into one frozen object."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names the variable and the fix."""


def _flag(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("write 1 or 0")


def _positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise ValueError("write a whole number above 0")
    return number


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"write one of {', '.join(choices)}")
        return text

    return parse


def _setting(default: Any, help: str, parse: Any = str, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"help": help, "parse": parse, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """The settings of one installation.

    Each field ``name`` is read from ``WAYMARK_NAME``; a secret also from the file that
    ``WAYMARK_NAME_FILE`` names. ``README.md`` holds the table of all of them.
    """

    home: Path = _setting(Path("var"), "Folder where state lives: database, transcript, keys", Path)
    host: str = _setting("127.0.0.1", "Address the edge listens on")
    port: int = _setting(8000, "Port the edge listens on", _positive)
    public_url: str = _setting("", "Public https address, needed for webhooks")
    database_url: str = _setting("", "SQLAlchemy URL; empty: SQLite in the home folder", secret=True)
    tracker_url: str = _setting("", "URL of Rasa's tracker store; empty: SQLite in the home folder", secret=True)
    redis_url: str = _setting("", "Redis for locks and live pages; empty: none", secret=True)
    model: Path = _setting(Path("models"), "Folder (or file) with the trained model", Path)
    content: Path = _setting(Path("data"), "Folder of the git content pack", Path)
    secret_key: str = _setting("", "Signs console sessions; empty: made once in the home folder", secret=True)
    secure_cookies: bool = _setting(False, "Send console cookies over https only; set it in production", _flag)
    proxies: str = _setting("", "Comma-separated addresses of trusted reverse proxies")
    retention_days: int = _setting(90, "Days after which a silent conversation is deleted", _positive)
    messages_per_minute: int = _setting(20, "Messages a person may send in a minute", _positive)
    opening_hours: str = _setting("Mon-Fri 09:00-17:00", "When counsellors answer")
    timezone: str = _setting("Europe/Brussels", "Time zone of the opening hours")
    rest: bool = _setting(
        False, "Enable Rasa's REST channel at /webhooks/rest/webhook for callers on this machine", _flag
    )
    telegram_token: str = _setting("", "Bot token from BotFather; empty: no Telegram", secret=True)
    telegram_secret: str = _setting("", "Secret token of the Telegram webhook; empty: polling", secret=True)
    telegram_drop_pending: bool = _setting(
        False, "Let Telegram drop at the start what people wrote while Waymark was not running", _flag
    )
    telegram_api: str = _setting("https://api.telegram.org", "Base address of the Bot API")
    whatsapp_token: str = _setting("", "Cloud API token; empty: no WhatsApp", secret=True)
    whatsapp_phone_id: str = _setting("", "Phone number id of the Cloud API")
    whatsapp_app_secret: str = _setting(
        "", "App secret(s) for signatures, comma-separated during rotation", secret=True
    )
    whatsapp_verify_token: str = _setting("", "Token of Meta's verification handshake", secret=True)
    whatsapp_account_id: str = _setting("", "WhatsApp Business Account id; needed for message templates")
    whatsapp_api: str = _setting("https://graph.facebook.com", "Base address of the Graph API")
    twilio_account_sid: str = _setting("", "Twilio account for WhatsApp; empty: no Twilio")
    twilio_auth_token: str = _setting(
        "", "Twilio auth token(s), comma-separated during rotation; the first one sends", secret=True
    )
    twilio_number: str = _setting("", "WhatsApp number at Twilio, such as +3221234567")
    twilio_api: str = _setting("", "Base address of Twilio's APIs; empty: Twilio's own hosts")
    channels: str = _setting("", "Further channels, comma-separated as module:Class")
    embed_origins: str = _setting("", "Comma-separated origins of sites that may embed the web chat")
    media_days: int = _setting(30, "Days for which an opened file is kept", _positive)
    metrics_token: str = _setting("", "Bearer token for /metrics; empty: callers on this machine only", secret=True)
    metrics_port: int = _setting(0, "Port of a brain's own /metrics, for machines without an edge; 0: none", int)
    log_format: str = _setting("text", "Form of log lines: text or json", _one_of("text", "json"))
    log_level: str = _setting("INFO", "Log level; message texts are never logged")

    @property
    def database(self) -> str:
        """URL of the main database."""
        return self.database_url or f"sqlite:///{self.home.absolute() / 'waymark.db'}"

    @property
    def tracker(self) -> str:
        """URL of Rasa's tracker store, apart because its table names would clash with others'."""
        return self.tracker_url or f"sqlite:///{self.home.absolute() / 'tracker.db'}"

    @property
    def secure(self) -> bool:
        """Whether cookies must only travel over https."""
        return self.secure_cookies or self.public_url.startswith("https://")

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Reads the settings from the environment.

        Raises:
            SettingsError: A value cannot be used, or settings that go together are incomplete.
        """
        environ = os.environ if environ is None else environ
        values = {}
        for row in fields(cls):
            key = f"WAYMARK_{row.name.upper()}"
            text = _read(environ, key, secret=row.metadata["secret"])
            if text is None:
                continue
            try:
                values[row.name] = row.metadata["parse"](text)
            except ValueError as problem:
                raise SettingsError(f"{key} has a value that cannot be used: {problem}") from None
        settings = cls(**values)
        settings._check()
        return settings

    def _check(self) -> None:
        if self.whatsapp_token:
            for name in ("whatsapp_phone_id", "whatsapp_app_secret", "whatsapp_verify_token"):
                if not getattr(self, name):
                    raise SettingsError(f"WAYMARK_{name.upper()} is missing; WhatsApp cannot be used safely without it")
        if self.twilio_account_sid:
            for name in ("twilio_auth_token", "twilio_number", "public_url"):
                if not getattr(self, name):
                    raise SettingsError(f"WAYMARK_{name.upper()} is missing; WhatsApp over Twilio needs it")
        if self.telegram_secret and not self.public_url:
            raise SettingsError("WAYMARK_PUBLIC_URL is missing; Telegram needs it to send webhooks")


def _read(environ: Mapping[str, str], key: str, *, secret: bool) -> str | None:
    if secret and f"{key}_FILE" in environ:
        path = Path(environ[f"{key}_FILE"])
        try:
            return path.read_text().strip()
        except OSError as problem:
            raise SettingsError(f"{key}_FILE names {path}, which cannot be read: {problem.strerror}") from None
    return environ.get(key)
