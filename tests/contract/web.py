"""People on the web chat: a channel that is pulled."""

import json

import httpx

from tests.contract.peer import Call, Choice, Peer, Seen


class WebPeer(Peer):
    """Browsers with the chat page."""

    name = "web"
    pulled = True

    def environment(self) -> dict[str, str]:
        return {}

    def address(self, number: int) -> str:
        return f"{number:032x}"

    def written(self, address: str, text: str, number: int) -> Call:
        return _message(address, number, text=text)

    def pressed(self, address: str, choice: Choice, number: int) -> Call:
        return _message(address, number, payload=choice.mark)

    def signed(self, content: bytes) -> Call:
        return Call("/chat/messages", content, _token(self.address(1)))

    def forged(self, call: Call) -> list[Call]:
        tokens = [{}, {"authorization": ""}, _token("abc"), _token("Z" * 32)]
        return [Call(call.path, call.content, token) for token in tokens]

    async def seen(self, client: httpx.AsyncClient, address: str) -> list[Seen]:
        answer = await client.get("/chat/messages", headers=_token(address))
        return [
            Seen(row["text"], tuple(Choice(button["title"], button["payload"]) for button in row["buttons"]))
            for row in answer.raise_for_status().json()["messages"]
        ]


def _message(address: str, number: int, **content: str) -> Call:
    body = {"id": f"message-{number:08}", **content}
    return Call("/chat/messages", json.dumps(body).encode(), _token(address))


def _token(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "content-type": "application/json"}
