"""Telegram through the Bot API."""

import asyncio
import hmac
import json
import logging
import re
import warnings
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from telegram import InputFile, LinkPreviewOptions, Message, Update, error
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest
from telegram.warnings import PTBUserWarning

from bot.channels import commands, limits, polling, telegram_profile
from bot.channels import telegram_content as content
from bot.channels.base import BaseChannel, json_object
from bot.channels.telegram_errors import delivery_errors
from bot.messaging.hooks import Heard, Hook, HookRefused, Move
from bot.messaging.messages import Incoming, Outgoing
from bot.messaging.protocols import Check, DeliveryError, Pace, Part
from bot.settings import Settings

POLL_SECONDS = 25
TIMEOUT = 20.0  # seconds; a short one would repeat messages that had arrived
LONGEST = 60.0  # seconds for a send in all; beyond the outbox's lease another worker would send it as well
WEBHOOK_RETRY_SECONDS = 30.0
PENDING = 100  # updates that wait at Telegram; more tell that they do not reach us
RECENT = 600  # seconds in which an error of the webhook counts
UPDATES = ["message", "edited_message", "callback_query"]
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

log = logging.getLogger(__name__)
# updates are fetched raw on purpose (_fetch)
warnings.filterwarnings("ignore", message="Please use 'Bot.getUpdates'", category=PTBUserWarning)


class TelegramChannel(BaseChannel):
    """Sends and receives as one bot. Delivery is at least once: Telegram tells nothing of what arrived."""

    name = "telegram"
    label = "Telegram"
    pace: Pace | None = Pace(burst=20, seconds=1.0)  # https://core.telegram.org/bots/faq#broadcasting-to-users

    def __init__(self, settings: Settings) -> None:
        for chatty in ("httpx", "httpcore"):  # addresses of the Bot API hold the token
            logging.getLogger(chatty).setLevel(logging.WARNING)
        # the library logs what it cannot read, people's words with it; every error is reported from here instead
        logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
        base = settings.telegram_api.rstrip("/")
        self._bot: ExtBot[int] = ExtBot(
            settings.telegram_token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=HTTPXRequest(connection_pool_size=64, read_timeout=TIMEOUT),
            rate_limiter=AIORateLimiter(),
        )
        self._secret = settings.telegram_secret
        self._webhook = f"{settings.public_url.rstrip('/')}/webhooks/telegram" if self._secret else ""
        self._drop_pending = settings.telegram_drop_pending
        self._starting = asyncio.Lock()
        self._username = ""

    async def start(self) -> None:
        """Checks the token and learns the bot's name, which reading needs to know when a group speaks to it.

        Sending does this by itself; only a process that just receives calls it.

        Raises:
            DeliveryError: Telegram refuses the token or cannot be reached.
        """
        async with self._starting:
            if not self._username:
                with delivery_errors():
                    await self._bot.initialize()
                    self._username = self._bot.username.lower()

    # --- receiving

    def receive(self, hook: Hook) -> Heard:
        """Reads an update that carries our secret (see ``Channel.receive``); a pressed button's spinner is ended."""
        if not self._secret or hook.method != "POST":
            raise HookRefused(404)
        given = hook.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            raise HookRefused(403)
        update = json_object(hook.body)
        heard = self._heard(update)
        if pressed := content.callback_id(update):
            return replace(heard, answer=json.dumps({"method": "answerCallbackQuery", "callback_query_id": pressed}))
        return heard

    def _heard(self, update: dict[str, Any]) -> Heard:
        try:
            incoming = self.parse(update)
        except ValueError:
            return Heard(unreadable=1)  # refused, Telegram would send it again for ever
        moved = (update.get("message") or {}).get("migrate_to_chat_id")
        moves = (Move("telegram", str(update["message"]["chat"]["id"]), str(moved)),) if moved else ()
        return Heard(messages=(incoming,) if incoming else (), moves=moves)

    def parse(self, update_json: dict[str, Any]) -> Incoming | None:
        """The message in an update, or ``None`` when it holds nothing to answer.

        Raises:
            ValueError: The update is malformed.
        """
        try:
            update = Update.de_json(update_json, self._bot)
            if update.callback_query:
                return content.pressed(update.update_id, update.callback_query)
            message = update.message or update.edited_message
            return self._message(update, message) if message else None
        except (TypeError, KeyError, AttributeError, OverflowError, OSError) as problem:
            raise ValueError(f"malformed update ({type(problem).__name__})") from None

    def _message(self, update: Update, message: Message) -> Incoming | None:
        sender = message.from_user
        if sender is None or sender.is_bot:
            return None
        text = message.text or message.caption or ""
        command = commands.parse(text) if message.text else None
        base = Incoming(
            "telegram", str(update.update_id), str(message.chat.id), locale=sender.language_code, sent_at=message.date
        )
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

    # --- sending

    def plan(self, message: Outgoing, *, outbox_id: int, document: bytes | None = None) -> list[Part]:
        """The messages of the Bot API (see ``Channel.plan``)."""
        return content.plan(message, document)

    async def send(self, address: str, part: Part, *, reference: str) -> str:
        """Sends one part (see ``Channel.send``); the Bot API carries no reference."""
        try:
            chat = int(address)
        except ValueError:
            raise DeliveryError("address not understood", permanent=True) from None
        await self.start()
        try:
            async with asyncio.timeout(LONGEST):
                with delivery_errors():
                    try:
                        sent = await self._post(chat, part)
                    except error.ChatMigrated as moved:
                        sent = await self._post(moved.new_chat_id, part)
        except TimeoutError:
            raise DeliveryError("Telegram did not answer in time") from None
        return str(sent.message_id)

    async def _post(self, chat: int, part: Part) -> Message:
        keyboard = content.keyboard(part)
        if part.get("file") is None:
            return await self._bot.send_message(
                chat, part["text"], reply_markup=keyboard, link_preview_options=_NO_PREVIEW
            )
        upload = InputFile(part["file"], filename=limits.attachment(part["name"])[0])
        return await self._bot.send_document(chat, upload, caption=part["text"] or None, reply_markup=keyboard)

    async def typing(self, address: str, message_id: str) -> None:
        """Shows that an answer is being written. Never raises."""
        with suppress(DeliveryError, error.TelegramError, ValueError):
            await self.start()
            await self._bot.send_chat_action(int(address), "typing")

    async def fetch(self, media: Mapping[str, str], *, limit: int) -> bytes:
        """The content of a file (see ``Channel.fetch``); the Bot API gives files of up to 20 MB."""
        if media.get("kind") not in content.FILES or not media.get("ref"):
            raise DeliveryError("this is no file", permanent=True)
        await self.start()
        with delivery_errors():
            file = await self._bot.get_file(media["ref"])
            if (file.file_size or 0) > limit:
                raise DeliveryError("the file is too large", permanent=True)
            found = bytes(await file.download_as_bytearray())
        if len(found) > limit:
            raise DeliveryError("the file is too large", permanent=True)
        return found

    # --- looking after itself

    async def check(self) -> list[Check]:
        """Whether the token is accepted and updates come the way they are expected (see ``Channel.check``)."""
        with delivery_errors():
            me = await self._bot.get_me()
            webhook = await self._bot.get_webhook_info()
        checks = [Check(f"the token is accepted (@{me.username})")]
        if webhook.url != self._webhook:
            fix = "start Waymark again, and let no other program use this bot"
            checks.append(Check("updates go elsewhere, to another webhook or none", False, fix))
        if webhook.pending_update_count > PENDING:
            checks.append(Check(f"{webhook.pending_update_count} updates wait at Telegram", False, "is the edge up?"))
        if webhook.last_error_date and _seconds_since(webhook.last_error_date) < RECENT:
            fix = "mend the public address or its certificate"
            checks.append(Check(f"Telegram cannot deliver: {webhook.last_error_message}", False, fix))
        return checks

    async def run(self, hear: Callable[[Heard], Awaitable[None]]) -> None:
        """Publishes the profile, then sets the webhook or, without a public address, polls until cancelled."""
        with suppress(DeliveryError):  # tried again below; `waymark doctor` tells about the token
            await self.start()
            await telegram_profile.publish(self._bot)
        if not self._secret:
            return await self.poll(hear)
        while True:
            try:
                return await self.set_webhook()
            except DeliveryError as problem:
                told = {"channel": self.name, "reason": problem.reason}
                log.warning("the webhook is not set, it is tried again", extra=told)
                await asyncio.sleep(WEBHOOK_RETRY_SECONDS)

    async def set_webhook(self) -> None:
        """Has updates sent to our public address, each with our secret in its header.

        Raises:
            DeliveryError: Telegram refused or cannot be reached.
        """
        await self.start()
        with delivery_errors():
            await self._bot.set_webhook(
                self._webhook,
                secret_token=self._secret,
                allowed_updates=UPDATES,
                drop_pending_updates=self._drop_pending,
            )

    async def poll(self, hear: Callable[[Heard], Awaitable[None]], *, pause: float = 1.0) -> None:
        """Fetches updates until cancelled.

        Updates are confirmed to Telegram only after ``hear`` returned for all of them, so a crash loses
        nothing; ``hear`` must ignore what it has seen before.

        Args:
            pause: Seconds to wait after a failure; doubled up to a minute while failures go on.
        """

        async def take(update: dict[str, Any]) -> None:
            await hear(self._heard(update))
            if pressed := content.callback_id(update):
                with suppress(error.TelegramError):  # the spinner ends by itself after a while
                    await self._bot.answer_callback_query(pressed)

        await polling.poll(self._leave_webhook, self._fetch, take, pause=pause)

    async def _leave_webhook(self) -> None:
        await self.start()
        with delivery_errors():
            await self._bot.delete_webhook(drop_pending_updates=self._drop_pending)

    async def _fetch(self, offset: int) -> list[dict[str, Any]]:
        # raw, because the library gives up a whole batch for one update that it cannot read
        request = {"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": UPDATES}
        with delivery_errors():
            updates: list[dict[str, Any]] = await self._bot.do_api_request(
                "getUpdates", api_kwargs=request, read_timeout=POLL_SECONDS + 10
            )
        return updates

    async def close(self) -> None:
        """Frees connections."""
        await self._bot.shutdown()


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(moment.tzinfo) - moment).total_seconds()
