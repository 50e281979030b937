"""The trained model against the recorded floors, on questions that training never sees."""

from pathlib import Path

import pytest

from bot import evaluation
from bot.languages import launched
from bot.settings import Settings
from bot.wiring.brain import make_answering
from bot.yaml_files import read_yaml

FOLDER = Path("tests/evaluation")
FLOORS = read_yaml(FOLDER / "floors.yml")
QUESTIONS = [question for path in sorted(FOLDER.glob("*.tsv")) for question in evaluation.load(path)]


def test_every_launched_language_has_a_floor_for_everything_measured():
    assert set(FLOORS) == {row.code for row in launched()}
    for language, limits in FLOORS.items():
        assert set(limits) == set(evaluation.MEASURES), language


@pytest.mark.timeout(600)
async def test_no_language_has_fallen_below_its_floor(trained):
    answering = make_answering(Settings(), None, tracker_url=None)
    scores = await evaluation.judge(answering, QUESTIONS)
    assert evaluation.below(scores, FLOORS) == []
