import asyncio
import contextlib
import os
import shutil
import stat
import uuid

import pytest
import redis

from bot.messaging.poke import LocalPoke, RedisPoke, make_poke

REDIS = os.environ.get("WAYMARK_TEST_REDIS", "redis://127.0.0.1:6379")


@pytest.fixture
def local(tmp_path):
    poke = LocalPoke(tmp_path)
    yield poke
    poke._sender.close()
    shutil.rmtree(poke._folder, ignore_errors=True)  # it lies outside the test's own folder


@pytest.fixture
async def through_redis():
    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=1).ping()
    except redis.RedisError as problem:
        pytest.skip(f"no Redis at {REDIS}: {problem}")
    poke = RedisPoke(REDIS)
    yield poke
    await poke._redis.aclose()


@pytest.fixture(params=["local", "through_redis"])
def poke(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def topic() -> str:
    return f"test{uuid.uuid4().hex[:8]}"


@contextlib.asynccontextmanager
async def listening(poke, topic: str):
    """A listener that is known to be there; gives the queue of the keys it hears."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(poke.listen(topic, heard.put_nowait))
    try:
        async with asyncio.timeout(10):
            while heard.empty():
                await poke.send(topic, "are you there")
                await asyncio.sleep(0.01)
            await poke.send(topic, "begin")
            while await heard.get() != "begin":
                pass
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def hear(heard: asyncio.Queue[str]) -> str:
    return await asyncio.wait_for(heard.get(), 10)


async def test_a_listener_hears_the_key_of_each_poke(poke, topic):
    async with listening(poke, topic) as heard:
        for key in ("one", "two", "döner"):
            await poke.send(topic, key)
        assert [await hear(heard) for _ in range(3)] == ["one", "two", "döner"]


async def test_a_poke_needs_no_key(poke, topic):
    async with listening(poke, topic) as heard:
        await poke.send(topic)
        assert await hear(heard) == ""


async def test_all_listeners_of_a_topic_hear_it(poke, topic):
    async with listening(poke, topic) as first, listening(poke, topic) as second:
        await poke.send(topic, "news")
        assert await hear(second) == "news"
        while await hear(first) != "news":  # it also heard the other one being called
            pass


async def test_listeners_of_other_topics_hear_nothing(poke, topic):
    async with listening(poke, topic) as heard:
        await poke.send(f"{topic}x", "not for you")
        await poke.send(topic, "for you")
        assert await hear(heard) == "for you"


async def test_poking_when_nobody_listens_is_harmless(poke, topic):
    await poke.send(topic, "hello")


async def test_a_listener_that_ended_leaves_nothing_behind(local, topic):
    async with listening(local, topic):
        assert list(local._folder.glob(f"{topic}.*"))
    assert not list(local._folder.glob(f"{topic}.*"))
    await local.send(topic, "hello")


async def test_the_socket_of_a_process_that_was_killed_is_cleaned_away(local, topic):
    dead = local._folder / f"{topic}.4194304.1"  # above the highest process id there can be
    dead.touch()
    async with listening(local, topic):
        assert not dead.exists()


def test_only_the_owner_can_reach_the_sockets(local):
    assert stat.S_IMODE(local._folder.stat().st_mode) == 0o700


def test_two_installations_on_one_machine_do_not_hear_each_other(tmp_path):
    first, second = LocalPoke(tmp_path / "a"), LocalPoke(tmp_path / "b")
    assert first._folder != second._folder
    for made in (first, second):
        made._sender.close()
        shutil.rmtree(made._folder)


async def test_a_redis_that_is_away_does_not_fail_who_pokes(topic):
    gone = RedisPoke("redis://127.0.0.1:1")
    await gone.send(topic, "hello")
    await gone._redis.aclose()


async def test_redis_is_used_where_there_is_one(tmp_path):
    local, remote = make_poke(tmp_path, ""), make_poke(tmp_path, "redis://127.0.0.1:1")
    assert isinstance(local, LocalPoke)
    assert isinstance(remote, RedisPoke)
    local._sender.close()
    shutil.rmtree(local._folder)
    await remote._redis.aclose()
