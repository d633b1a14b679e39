"""When a replica that died is started again: the whole series, by a clock and dice of the test's own."""

from dataclasses import dataclass, field

import pytest

from hector_host.manager.restart import History, Intensity, Verdict, after_death

DEFAULT = Intensity(max_deaths=5, window=60.0)
FOR_EVER = Intensity(max_deaths=None, window=60.0)


@dataclass
class Life:
    """One replica after another of the same place, as long as somebody asks.

    Attributes:
        chance: What the dice say, as close to 1 as they come: delays are their bounds then.
    """

    intensity: Intensity = DEFAULT
    chance: float = 1.0
    now: float = 1000.0
    history: History = field(default_factory=History)

    def dies(self, *, after: float = 0.0, ready_for: float = 0.0, answered: bool = False, permanent: bool = False):
        """The verdict on a death some seconds after the last one."""
        self.now += after
        verdict = after_death(
            self.history,
            self.intensity,
            now=self.now,
            ready_for=ready_for,
            answered=answered,
            permanent=permanent,
            chance=self.chance,
        )
        self.history = verdict.history
        return verdict


def test_bounds_double_up_to_half_a_minute():
    life = Life(FOR_EVER)
    assert [life.dies(after=100).delay for _ in range(11)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30]


def test_who_is_wanted_sooner_has_a_lower_bound():
    life = Life(Intensity(max_deaths=None, window=60.0, bound_limit=2.0))
    assert [life.dies(after=100).delay for _ in range(6)] == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_a_streak_of_any_length_has_a_bound():
    life = Life(FOR_EVER, history=History(streak=100_000))
    assert life.dies().delay == 30


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.999])
def test_a_delay_is_drawn_between_nothing_and_its_bound(chance):
    life = Life(FOR_EVER, chance=chance)
    assert [life.dies(after=100).delay for _ in range(3)] == [0.2 * chance, 0.4 * chance, 0.8 * chance]


def test_who_answered_begins_with_the_first_bound_again():
    life = Life(FOR_EVER)
    assert [life.dies().delay, life.dies().delay, life.dies(answered=True).delay, life.dies().delay] == [
        0.2,
        0.4,
        0.2,
        0.4,
    ]


def test_the_sixth_death_within_the_window_is_one_too_many():
    life = Life()
    assert [life.dies(after=10).gives_up for _ in range(6)] == [False] * 5 + [True]


def test_answers_do_not_keep_who_dies_too_often():
    life = Life()
    assert [life.dies(after=10, ready_for=9, answered=True).gives_up for _ in range(6)] == [False] * 5 + [True]


def test_deaths_that_are_further_apart_than_the_window_do_not_add_up():
    life = Life(Intensity(max_deaths=1, window=60.0))
    assert not any(life.dies(after=60).gives_up for _ in range(50))
    assert life.dies(after=59.9).gives_up


def test_no_death_at_all_may_be_too_many():
    assert Life(Intensity(max_deaths=0, window=60.0)).dies().gives_up


def test_an_address_is_never_given_up():
    life = Life(FOR_EVER)
    assert not any(life.dies().gives_up for _ in range(1000))


def test_who_was_given_up_is_tried_once_and_then_after_twice_as_long_up_to_an_hour():
    life = Life(Intensity(max_deaths=0, window=60.0), chance=0.0)
    verdicts = [life.dies(after=4000) for _ in range(9)]
    assert [verdict.delay for verdict in verdicts] == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert all(verdict.gives_up for verdict in verdicts)


def test_the_one_try_is_a_try_and_no_fresh_start():
    life = Life()
    for _ in range(6):
        life.dies()
    # All of those deaths are out of the window by now, and it took calls for a while.
    assert life.dies(after=300, ready_for=59.9, answered=True) == Verdict(
        History(deaths=(1300.0,), streak=1, given_up=2), gives_up=True, delay=60
    )


def test_who_took_calls_for_a_minute_begins_anew():
    life = Life()
    for _ in range(7):
        life.dies()
    assert life.history.given_up == 2
    assert life.dies(after=400, ready_for=60) == Verdict(History(deaths=(1400.0,), streak=1), gives_up=False, delay=0.2)


def test_a_minute_counts_within_a_longer_window_too():
    life = Life(Intensity(max_deaths=1, window=3600.0))
    assert not any(life.dies(after=61, ready_for=61).gives_up for _ in range(10))


def test_a_permanent_cause_fails_at_once_and_is_not_tried_again():
    life = Life()
    assert life.dies(permanent=True) == Verdict(History(deaths=(1000.0,), streak=1), gives_up=True, delay=None)
    assert Life(FOR_EVER).dies(permanent=True).delay is None


def test_what_is_remembered_does_not_grow():
    life = Life(Intensity(max_deaths=1000, window=60.0))
    for _ in range(10_000):
        life.dies(after=0.1, answered=True)
    assert len(life.history.deaths) <= 601
