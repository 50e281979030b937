"""People write over three channels while processes are killed; ``make faults`` does it a hundred times."""

from benchmarks.faults import run
from tests.support.postgres import Postgres


def test_killing_the_brain_again_and_again_loses_nothing_and_says_nothing_twice(trained):
    found = run(kills=8)
    assert (found.lost, found.duplicated) == (0, 0)
    assert found.accepted > 100


def test_a_database_that_crashes_under_load_loses_nothing_and_says_nothing_twice(trained, tmp_path):
    postgres = Postgres(tmp_path / "pg")
    try:
        found = run(kills=0, crashes=2, postgres=postgres)
    finally:
        postgres.stop()
    assert (found.lost, found.duplicated) == (0, 0)
    assert found.accepted > 50
