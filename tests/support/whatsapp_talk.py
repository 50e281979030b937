"""Sending through the WhatsApp channel as delivery does it: planned, then part by part."""

from bot.channels.whatsapp import WhatsAppChannel
from bot.messaging import outbox
from bot.messaging.messages import Button, Outgoing

PERSON = "32470000001"
ARABIC = "العودة الطوعية هي قرار تتخذه بنفسك. يمكنك أن تغير رأيك في أي وقت. "


def choices(count: int, **fields: str) -> list[Button]:
    """So many buttons."""
    letters = [chr(97 + number) for number in range(count)]
    return [Button(f"Choice {letter}", f"t:topic_{letter}", **fields) for letter in letters]


async def deliver(
    channel: WhatsAppChannel, message: Outgoing, *, to: str = PERSON, document: bytes | None = None, outbox_id: int = 17
) -> str:
    """Sends every part; returns the provider's id of the last."""
    parts = channel.plan(message, outbox_id=outbox_id, document=document)
    provider_id = ""
    for number, part in enumerate(parts, start=1):
        reference = outbox.reference(outbox_id, number, len(parts))
        provider_id = await channel.send(to, part, reference=reference)
    return provider_id


async def say(channel: WhatsAppChannel, text: str, *buttons: Button, to: str = PERSON) -> str:
    """Says something in English."""
    return await deliver(channel, Outgoing(text, "en", buttons), to=to)
