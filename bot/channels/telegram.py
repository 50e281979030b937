"""Telegram through the Bot API."""

import asyncio
import logging
import re
import warnings
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from telegram import (
    BotCommand,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    Message,
    Update,
    error,
)
from telegram.ext import AIORateLimiter, ExtBot
from telegram.warnings import PTBUserWarning

from bot import texts
from bot.channels import commands, limits, polling
from bot.channels import telegram_content as content
from bot.channels.progress import Progress
from bot.languages import DEFAULT, launched
from bot.messaging import payloads
from bot.messaging.messages import Incoming, Outgoing
from bot.messaging.protocols import DeliveryError
from bot.settings import Settings

SHORT_TITLE = 14  # characters that still fit two in a row on a small phone
POLL_SECONDS = 25
PENDING = 1000  # pressed buttons whose spinner still turns
UPDATES = ["message", "edited_message", "callback_query"]
_REFUSALS = {
    "chat not found": "chat not found",
    "too long": "text too long",
    "text is empty": "text empty",
    "button_data_invalid": "button too long",
    "not enough rights": "no right to write in this chat",
}
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

log = logging.getLogger(__name__)
# updates are fetched raw on purpose (_fetch)
warnings.filterwarnings("ignore", message="Please use 'Bot.getUpdates'", category=PTBUserWarning)


class TelegramChannel:
    """Sends and receives as one bot."""

    name = "telegram"
    service_window_hours: int | None = None

    def __init__(self, settings: Settings) -> None:
        for chatty in ("httpx", "httpcore"):  # addresses of the Bot API hold the token
            logging.getLogger(chatty).setLevel(logging.WARNING)
        # the library logs what it cannot read, people's words with it; every error is reported from here instead
        logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
        base = settings.telegram_api.rstrip("/") + "/bot"
        self._bot: ExtBot[int] = ExtBot(settings.telegram_token, base_url=base, rate_limiter=AIORateLimiter())
        self._starting = asyncio.Lock()
        self._username = ""
        self._callbacks: OrderedDict[str, str] = OrderedDict()
        self._progress = Progress()

    async def start(self) -> None:
        """Checks the token and learns the bot's name, which ``parse`` needs to know when a group speaks to it.

        Sending does this by itself; only a process that just receives calls it.

        Raises:
            DeliveryError: Telegram refuses the token or cannot be reached.
        """
        async with self._starting:
            if not self._username:
                with _delivery_errors():
                    await self._bot.initialize()
                    self._username = self._bot.username.lower()

    async def check(self) -> str:
        """Asks Telegram who we are, which tells whether the token is still accepted.

        Raises:
            DeliveryError: It is not, or Telegram cannot be reached.
        """
        with _delivery_errors():
            return f"@{(await self._bot.get_me()).username}"

    def parse(self, update_json: dict[str, Any]) -> Incoming | None:
        """The message in an update, or ``None`` when it holds nothing to answer.

        Raises:
            ValueError: The update is malformed.
        """
        try:
            update = Update.de_json(update_json, self._bot)
            if update.callback_query:
                return self._pressed(update.update_id, update.callback_query)
            message = update.message or update.edited_message
            return self._message(update, message) if message else None
        except (TypeError, KeyError, AttributeError) as problem:
            raise ValueError(f"malformed update ({type(problem).__name__})") from None

    def _pressed(self, update_id: int, query: CallbackQuery) -> Incoming | None:
        self._callbacks[str(update_id)] = query.id
        while len(self._callbacks) > PENDING:
            self._callbacks.popitem(last=False)
        chat = query.message.chat if query.message else None
        if query.data is None or (chat and chat.type != chat.PRIVATE):
            return None
        address = str(chat.id if chat else query.from_user.id)
        locale = query.from_user.language_code
        return Incoming("telegram", str(update_id), address, "button", payload=query.data, locale=locale)

    def _message(self, update: Update, message: Message) -> Incoming | None:
        sender = message.from_user
        if sender is None or sender.is_bot:
            return None
        text = message.text or message.caption or ""
        command = commands.parse(text) if message.text else None
        base = Incoming("telegram", str(update.update_id), str(message.chat.id), locale=sender.language_code)
        if message.chat.type != message.chat.PRIVATE:
            # what people say to each other is not kept, only that somebody called
            called = self._called(text, command) and not update.edited_message
            return replace(base, kind="group", payload=command.name if command else "") if called else None
        if update.edited_message:
            return replace(base, kind="edited", text=text)
        if command:
            locale = content.deep_link(command) or base.locale
            return replace(base, kind="command", text=text, payload=command.name, locale=locale)
        if message.text:
            return replace(base, text=text)
        media = content.media(message)
        return replace(base, kind="media", text=text, media=media) if media else None

    def _called(self, text: str, command: commands.Command | None) -> bool:
        if command:
            return command.mention in ("", self._username)
        return bool(self._username and re.search(rf"@{re.escape(self._username)}\b", text, re.IGNORECASE))

    async def acknowledge(self, incoming: Incoming) -> None:
        """Ends the spinner on a pressed button, in the process that parsed it. Never raises."""
        if callback := self._callbacks.pop(incoming.message_id, None):
            with suppress(DeliveryError, error.TelegramError):
                await self.start()
                await self._bot.answer_callback_query(callback)

    async def send(self, address: str, message: Outgoing, *, reference: str, document: bytes | None = None) -> str:
        """Sends one message (see ``Channel.send``); the Bot API carries no reference."""
        if message.document and document is None:
            raise DeliveryError("the file is missing", permanent=True)
        try:
            chat = int(address)
        except ValueError:
            raise DeliveryError("address not understood", permanent=True) from None
        parts = content.plan(message)
        done, provider_id = self._progress.of(reference)
        try:
            await self.start()
            for number, (text, is_file) in enumerate(parts[done:], start=done + 1):
                keyboard = _keyboard(message) if number == len(parts) else None
                file = (message.document, document or b"") if is_file else None
                provider_id = await self._post(chat, text, keyboard, file)
                self._progress.note(reference, number, provider_id)
        except DeliveryError as problem:
            if problem.permanent:
                self._progress.finish(reference)
            raise
        self._progress.finish(reference)
        return provider_id

    async def _post(
        self, chat: int, text: str, keyboard: InlineKeyboardMarkup | None, file: tuple[str, bytes] | None
    ) -> str:
        async def post(chat: int) -> Message:
            if file is None:
                return await self._bot.send_message(chat, text, reply_markup=keyboard, link_preview_options=_NO_PREVIEW)
            upload = InputFile(file[1], filename=limits.attachment(file[0])[0])
            return await self._bot.send_document(chat, upload, caption=text or None, reply_markup=keyboard)

        with _delivery_errors():
            try:
                sent = await post(chat)
            except error.ChatMigrated as moved:
                sent = await post(moved.new_chat_id)
        return str(sent.message_id)

    async def typing(self, address: str, message_id: str) -> None:
        """Shows that an answer is being written, and ends a pressed button's spinner. Never raises."""
        await self.acknowledge(Incoming("telegram", message_id, address))
        with suppress(DeliveryError, error.TelegramError, ValueError):
            await self.start()
            await self._bot.send_chat_action(int(address), "typing")

    async def poll(self, accept: Callable[[Incoming], Awaitable[None]], *, pause: float = 1.0) -> None:
        """Fetches messages until cancelled, for installations without a public address.

        Updates are confirmed to Telegram only after ``accept`` returned for all of them, so a crash loses
        nothing; ``accept`` must ignore what it has seen before.

        Args:
            pause: Seconds to wait after a failure; doubled up to a minute while failures go on.
        """

        async def take(update: dict[str, Any]) -> None:
            try:
                incoming = self.parse(update)
            except ValueError as problem:
                log.warning("an update was left out: %s", problem)
                return
            if incoming is not None:
                await accept(incoming)
                await self.acknowledge(incoming)

        await polling.poll(self._leave_webhook, self._fetch, take, pause=pause)

    async def _leave_webhook(self) -> None:
        await self.start()
        with _delivery_errors():
            await self._bot.delete_webhook(drop_pending_updates=False)

    async def _fetch(self, offset: int) -> list[dict[str, Any]]:
        # raw, because the library gives up a whole batch for one update that it cannot read
        request = {"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": UPDATES}
        with _delivery_errors():
            updates: list[dict[str, Any]] = await self._bot.do_api_request(
                "getUpdates", api_kwargs=request, read_timeout=POLL_SECONDS + 10
            )
        return updates

    async def set_webhook(self, url: str, secret: str) -> None:
        """Has updates sent to ``url``, each with ``secret`` in its header.

        Raises:
            DeliveryError: Telegram refused or cannot be reached.
        """
        await self.start()
        with _delivery_errors():
            await self._bot.set_webhook(url, secret_token=secret, allowed_updates=UPDATES)

    async def publish_profile(self) -> None:
        """Sets commands and descriptions in every launched language. Failures are logged, never raised."""
        for language in launched():
            try:
                await self.start()
                with _delivery_errors():
                    await self._publish(language.code)
            except DeliveryError as problem:
                log.warning("Telegram profile (%s) not published: %s", language.code, problem.reason)

    async def _publish(self, language: str) -> None:
        # what has no language code is shown to everybody whose language is not launched
        code = None if language == DEFAULT else language
        menu = [BotCommand(name, texts.text(f"command.{name}", language)) for name in payloads.COMMANDS]
        await self._bot.set_my_commands(menu, language_code=code)
        short, long = texts.text("profile.short", language), texts.text("profile.long", language)
        await self._bot.set_my_short_description(limits.clip(short, 120), language_code=code)
        await self._bot.set_my_description(limits.clip(long, 512), language_code=code)

    async def close(self) -> None:
        """Frees connections."""
        await self._bot.shutdown()


def _keyboard(message: Outgoing) -> InlineKeyboardMarkup | None:
    if not message.buttons:
        return None
    columns = 1 if message.listed or any(len(button.title) > SHORT_TITLE for button in message.buttons) else 2
    keys = [InlineKeyboardButton(button.title, callback_data=button.payload) for button in message.buttons]
    return InlineKeyboardMarkup([keys[start : start + columns] for start in range(0, len(keys), columns)])


@contextmanager
def _delivery_errors() -> Iterator[None]:
    # no cause is chained: the library's errors may hold the token
    try:
        yield
    except error.TelegramError as problem:
        raise _delivery_error(problem) from None


def _delivery_error(problem: error.TelegramError) -> DeliveryError:
    match problem:
        case error.Forbidden():
            return DeliveryError("blocked by the person", permanent=True)
        case error.RetryAfter():
            asked = problem.retry_after
            seconds = asked.total_seconds() if isinstance(asked, timedelta) else float(asked)
            return DeliveryError("too many messages", retry_after=seconds)
        case error.InvalidToken():
            return DeliveryError("token refused")
        case error.BadRequest():
            words = problem.message.lower()
            known = (reason for sign, reason in _REFUSALS.items() if sign in words)
            return DeliveryError(next(known, "refused by Telegram"), permanent=True)
        case error.TimedOut():
            return DeliveryError("Telegram did not answer in time")
        case error.NetworkError():
            return DeliveryError("Telegram cannot be reached")
        case _:
            return DeliveryError(f"Telegram refused ({type(problem).__name__})")
