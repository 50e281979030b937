from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.content import pack
from bot.content.pack import Pack, PackError, Source, Text, Topic
from bot.yaml_files import YamlFileError

SOURCES = 'S1: {title: Handbook, publisher: IOM, url: "https://example.org", date: n.d.}\n'
TOPICS = """
travel_ticket:
  risk: low
  facts: [A1]
  sources: [S1]
  related: []
  reviewed_on: 2026-11-23
  review_by: 2027-05-23
"""
FAQ = """
language: en
origin: machine
entries:
  travel_ticket:
    title: Who pays the ticket?
    label: Ticket
    answer: |
      The programme pays.
    examples: [who pays, 2019]
"""

words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), min_size=1, max_size=40)
# people's texts: lines of words; answers lose the white space around them when they are read
lines = st.lists(words, min_size=1, max_size=4).map("\n".join).map(str.strip).filter(bool)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "faq" / "en").mkdir(parents=True)
    (tmp_path / "sources.yml").write_text(SOURCES)
    (tmp_path / "topics.yml").write_text(TOPICS)
    (tmp_path / "faq" / "en" / "travel.yml").write_text(FAQ)
    return tmp_path


def test_a_pack_is_read_with_its_topics_sources_and_texts(folder):
    found = pack.load(folder)
    source = Source("Handbook", "IOM", "https://example.org", "n.d.")
    assert found.topics == {
        "travel_ticket": Topic("travel_ticket", "low", ("A1",), (source,), (), date(2026, 11, 23), date(2027, 5, 23))
    }
    assert found.texts == {
        ("travel_ticket", "en"): Text(
            "travel_ticket", "en", "Who pays the ticket?", "Ticket", "The programme pays.", "machine",
            ("who pays", "2019"),
        )
    }  # fmt: skip


def test_the_shipped_pack_survives_being_saved_and_read_again(tmp_path):
    shipped = pack.load(Path("data"))
    pack.save(shipped, tmp_path)
    again = pack.load(tmp_path)
    assert again.topics == shipped.topics
    assert again.texts == shipped.texts
    assert len(again.texts) > 200


def test_saving_twice_writes_the_same_bytes(tmp_path):
    shipped = pack.load(Path("data"))
    for name in "ab":
        pack.save(shipped if name == "a" else pack.load(tmp_path / "a"), tmp_path / name)
    written = [
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.yml")}
        for name in "ab"
    ]
    assert written[0] == written[1]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    title=words,
    label=words,
    answer=lines,
    examples=st.lists(words, max_size=3),
    origins=st.permutations(["human", "machine"]),
)
def test_whatever_people_write_survives_being_saved_and_read_again(folder, title, label, answer, examples, origins):
    known = pack.load(folder)
    topic = known.topics["travel_ticket"]
    other = replace(topic, id="travel_luggage")
    made = Pack({topic.id: topic, other.id: other})
    for number, name in enumerate(made.topics):
        made.texts[name, "fr"] = Text(name, "fr", title, label, answer, origins[number], tuple(examples))
    target = folder / "saved"
    pack.save(made, target)
    assert pack.load(target) == made


def test_answers_are_written_as_blocks_that_people_can_edit(tmp_path, folder):
    known = pack.load(folder)
    text = known.texts["travel_ticket", "en"]
    known.texts["travel_ticket", "en"] = replace(text, answer="First line: é.\nSecond line.")
    pack.save(known, tmp_path / "out")
    written = (tmp_path / "out" / "faq" / "en" / "travel.yml").read_text(encoding="utf-8")
    assert "answer: |-\n      First line: é.\n      Second line.\n" in written


@pytest.mark.parametrize("name", ["sources.yml", "topics.yml"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(YamlFileError, match=name):
        pack.load(folder)


def test_a_file_that_is_not_yaml_is_named_with_the_line(folder):
    (folder / "topics.yml").write_text("a: [1\nb: 2\n")
    with pytest.raises(YamlFileError, match=r"topics\.yml.*(?s:.*)line \d"):
        pack.load(folder)


def test_a_file_with_a_list_at_the_top_is_named(folder):
    (folder / "topics.yml").write_text("- a\n")
    with pytest.raises(YamlFileError, match=r"topics\.yml: expected keys"):
        pack.load(folder)


@pytest.mark.parametrize("field", ["title", "publisher", "url", "date"])
def test_a_source_that_lacks_a_field_is_named(folder, field):
    rows = yaml.safe_load(SOURCES)
    del rows["S1"][field]
    (folder / "sources.yml").write_text(yaml.dump(rows))
    with pytest.raises(PackError, match=rf"sources\.yml: source S1 lacks '{field}'"):
        pack.load(folder)


@pytest.mark.parametrize("field", ["risk", "facts", "sources", "related", "reviewed_on", "review_by"])
def test_a_topic_that_lacks_a_field_is_named(folder, field):
    rows = yaml.safe_load(TOPICS)
    del rows["travel_ticket"][field]
    (folder / "topics.yml").write_text(yaml.dump(rows))
    with pytest.raises(PackError, match=rf"topics\.yml: topic travel_ticket lacks '{field}'"):
        pack.load(folder)


def test_a_source_that_does_not_exist_is_named(folder):
    (folder / "topics.yml").write_text(TOPICS.replace("S1", "S99"))
    with pytest.raises(PackError, match=r"travel_ticket lacks 'S99'"):
        pack.load(folder)


@pytest.mark.parametrize("field", ["title", "label", "answer"])
def test_a_text_that_lacks_a_field_is_named(folder, field):
    rows = yaml.safe_load(FAQ)
    del rows["entries"]["travel_ticket"][field]
    (folder / "faq" / "en" / "travel.yml").write_text(yaml.dump(rows))
    with pytest.raises(PackError, match=rf"en/travel\.yml: entry travel_ticket lacks '{field}'"):
        pack.load(folder)


def test_an_empty_answer_is_an_error_that_names_the_entry(folder):
    (folder / "faq" / "en" / "travel.yml").write_text(FAQ.replace("|\n      The programme pays.", ""))
    with pytest.raises(PackError, match="travel_ticket"):
        pack.load(folder)


@pytest.mark.parametrize("language", ["fr", "xx", "''"])
def test_a_file_in_the_wrong_folder_or_an_unknown_language_is_named(folder, language):
    (folder / "faq" / "en" / "travel.yml").write_text(FAQ.replace("language: en", f"language: {language}"))
    with pytest.raises(PackError, match=r"travel\.yml: language"):
        pack.load(folder)


def test_an_entry_may_differ_in_origin_from_its_file(folder):
    (folder / "faq" / "en" / "travel.yml").write_text(FAQ.replace("    label:", "    origin: human\n    label:"))
    assert pack.load(folder).texts["travel_ticket", "en"].origin == "human"
