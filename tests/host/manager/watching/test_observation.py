"""When a change counts: what has settled, and is other in content. Time is the test's."""

import os

import pytest

from hector_host.manager.watching import observation
from hector_host.manager.watching.observation import PATIENCE, QUIET, Changed, Observation
from hector_host.manager.watching.watched import Concern, Sight, Subject

NOTHING = Changed()


class Watched:
    """Files of a few subjects, looked at whenever the test says."""

    def __init__(self, folder):
        self.folder = folder
        self.observation = Observation()
        self.now = 0.0
        self.subjects = {}

    def path(self, name):
        return self.folder / name

    def look(self, seconds=0.0):
        self.now += seconds
        sights = {}
        for subject, names in self.subjects.items():
            sights[subject] = Sight()
            sights[subject].add(*map(self.path, names))
        return self.observation.compare(sights, self.now)


CONFIG = Subject(Concern.CONFIG)
DISCOVERY = Subject(Concern.DISCOVERY)
ECHO = Subject(Concern.PLUGIN, "echo", "/echo")
OTHER = Subject(Concern.PLUGIN, "other", "/other")


@pytest.fixture
def watched(tmp_path):
    watched = Watched(tmp_path)
    watched.subjects = {CONFIG: ["c", ".env"], DISCOVERY: ["d"], ECHO: ["e1", "e2"], OTHER: ["o"]}
    for name in ("c", "d", "e1", "e2", "o"):
        watched.path(name).write_text("one")
    assert watched.look() == NOTHING
    return watched


def test_a_change_counts_when_it_has_settled(watched):
    watched.path("e2").write_text("two!")
    assert watched.look(5) == NOTHING
    assert not watched.observation.settled
    assert watched.look(QUIET / 2) == NOTHING
    assert watched.look(QUIET) == Changed(plugins=frozenset({"echo"}))
    assert watched.observation.settled
    assert watched.look(5) == NOTHING


def test_what_is_still_written_is_waited_for(watched):
    for size in range(1, 30):
        watched.path("e1").write_text("x" * size * 10)
        assert "echo" not in watched.look(QUIET * 0.9).plugins
    assert watched.look(QUIET) == Changed(plugins=frozenset({"echo"}))


def test_what_settles_is_told_while_something_else_never_does(watched):
    watched.path("c").write_text("two!")
    told = []
    for size in range(1, 10):
        watched.path("e1").write_text("x" * size * 10)
        told.append(watched.look(QUIET * 0.9))
    assert [found for found in told if found] == [Changed(config=True)]


def test_all_that_settles_together_is_told_at_once(watched):
    for name in ("c", "d", "o", "e1"):
        watched.path(name).write_text("two!")
    watched.look()
    assert watched.look(QUIET) == Changed(config=True, discovery=True, plugins=frozenset({"echo", "other"}))


def test_what_is_touched_or_written_again_as_it_was_has_not_changed(watched):
    os.utime(watched.path("o"), (1, 1))
    watched.path("new").write_text("one")
    watched.path("new").replace(watched.path("e1"))
    assert watched.look() == NOTHING
    assert not watched.observation.settled
    assert watched.look(QUIET) == NOTHING
    assert watched.observation.settled


def test_what_is_changed_back_before_it_settles_has_not_changed(watched):
    status = watched.path("o").stat()
    watched.path("o").write_text("two")
    watched.look()
    watched.path("o").write_text("one")
    os.utime(watched.path("o"), ns=(status.st_atime_ns, status.st_mtime_ns))
    assert watched.look(QUIET) == NOTHING
    assert watched.observation.settled


def test_rights_count(watched):
    watched.path("d").chmod(0o640)
    watched.look()
    assert watched.look(QUIET) == Changed(discovery=True)


def test_a_new_file_counts(watched):
    watched.path(".env").write_text("A=b")
    watched.look()
    assert watched.look(QUIET) == Changed(config=True)


def test_a_file_that_is_gone_for_a_moment_is_not_missed(watched):
    watched.path("c").rename(watched.path("c~"))
    watched.look()
    assert watched.look(PATIENCE * 0.9) == NOTHING
    watched.path("c~").rename(watched.path("c"))
    assert watched.look(PATIENCE) == NOTHING
    assert watched.observation.settled


def test_a_file_that_stays_gone_is_missed(watched):
    watched.path("c").unlink()
    watched.look()
    assert watched.look(PATIENCE) == Changed(config=True)
    assert watched.look(PATIENCE) == NOTHING


def test_how_a_subject_looks_first_is_no_change(watched):
    del watched.subjects[ECHO]
    watched.look()
    watched.path("e1").write_text("two!")
    watched.subjects[ECHO] = ["e1"]
    assert watched.look(5) == NOTHING
    assert watched.observation.settled


def test_the_entries_of_a_folder_are_no_change_of_it(watched):
    watched.subjects = {Subject(Concern.PLUGIN, "third"): ["folder"]}
    watched.path("folder").mkdir()
    watched.look()
    (watched.path("folder") / "inner").write_text("")
    watched.look()
    assert watched.look(QUIET) == NOTHING
    assert watched.observation.settled


def test_a_large_file_is_not_read(watched, monkeypatch):
    monkeypatch.setattr(observation, "LARGE", 2)
    os.utime(watched.path("o"), (1, 1))
    watched.look()
    assert watched.look(QUIET) == Changed(plugins=frozenset({"other"}))
