"""The database is away for a while."""

import uuid

from sqlalchemy import text
from starlette.testclient import TestClient


def send(client: TestClient) -> int:
    headers = {"authorization": f"Bearer {uuid.uuid4().hex}"}
    answer = client.post("/chat/messages", json={"id": uuid.uuid4().hex, "text": "hello"}, headers=headers)
    return int(answer.status_code)


def test_without_a_database_a_message_is_refused_so_that_it_is_sent_again(app, edge):
    with TestClient(app, raise_server_exceptions=False) as client:
        assert send(client) == 202
        with edge.database.engine.begin() as connection:
            connection.execute(text("ALTER TABLE inbox RENAME TO away"))
        assert send(client) == 503
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/live").status_code == 200
        with edge.database.engine.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO inbox"))
        assert send(client) == 202
        assert client.get("/health/ready").status_code == 200
