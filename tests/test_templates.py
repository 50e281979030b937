import pytest

from bot import cli
from bot.languages import launched
from bot.messaging import templates
from bot.messaging.templates import REOPEN
from bot.storage.session import Database
from tests.support.graph import Graph
from tests.support.server import serve

LANGUAGES = [row.code for row in launched()]


@pytest.fixture
def graph() -> Graph:
    return Graph()


@pytest.fixture
def waymark(graph, sqlite_database, tmp_path, monkeypatch, capsys):
    """Runs the command in an installation with WhatsApp; gives its exit code and what it printed."""
    monkeypatch.setenv("WAYMARK_HOME", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str]:
        with serve(graph.app) as url, pytest.MonkeyPatch.context() as environment:
            for name, value in graph.settings(url, "app-secret").items():
                environment.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                cli.main(["templates", *arguments])
        return int(ended.value.code or 0), capsys.readouterr().out

    return run


def states(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {row.language: row.state for row in templates.overview(session, channel="whatsapp")}


def test_what_is_missing_is_listed_and_nothing_is_handed_in(waymark, graph):
    code, printed = waymark()
    assert code == 0
    assert printed.splitlines() == [f"whatsapp  {language}  missing" for language in LANGUAGES]
    assert graph.templates == {}


def test_templates_are_handed_in_once_and_their_states_kept(waymark, graph, sqlite_database):
    code, printed = waymark("submit")
    assert code == 0
    assert printed.splitlines() == [f"whatsapp  {language}  pending" for language in LANGUAGES]
    assert len(graph.templates) == len(LANGUAGES)
    assert set(states(sqlite_database).values()) == {"pending"}
    assert waymark("submit")[0] == 0
    assert len(graph.templates) == len(LANGUAGES)


def test_a_decision_of_the_provider_is_listed_with_its_reason(waymark, graph):
    graph.decide(REOPEN, "ar", "REJECTED", "INVALID_FORMAT")
    assert "whatsapp  ar  rejected  INVALID_FORMAT" in waymark()[1].splitlines()


def test_an_installation_whose_channels_need_none_is_told_so(sqlite_database, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WAYMARK_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        cli.main(["templates"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "No channel here needs templates.\n"


def test_a_provider_that_cannot_be_asked_makes_the_command_fail(waymark, graph):
    graph.fail(190, status=401)
    code, printed = waymark("submit")
    assert code == 1
    assert printed.startswith("whatsapp: ")
    assert graph.templates == {}


def test_a_refusal_in_one_language_makes_the_command_fail_and_the_others_are_handed_in(waymark, graph):
    graph.fail(132015, after=1)  # the first request asks what there is
    code, printed = waymark("submit")
    assert code == 1
    assert printed.splitlines()[0].startswith(f"whatsapp  {LANGUAGES[0]}  missing  ")
    assert len(graph.templates) == len(LANGUAGES) - 1
