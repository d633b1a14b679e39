import pytest
from google.protobuf.struct_pb2 import Struct

from hector_react_reasoning.state import BrokenState, Offer, Pending, State, UnreadableVersion
from hector_react_reasoning.turns import Turn, bounded
from hector_sdk.values import plain

FULL = State(
    form="text",
    system="Be brief.",
    tools=(Offer("run", "command"), Offer("add")),
    conversation=("m1", "m2"),
    steps=(
        (Turn(id="m3"), Turn(role="user", text="Observation: 1")),
        (Turn(role="assistant", text="cut"), Turn(role="tool", text="failed", tool="run", call="c1")),
    ),
    said=("m4",),
    asked="g3",
    last=True,
    pending=(Pending("run", effect="t2.1", call="c1"), Pending("x", refusal="no")),
    mishaps=2,
    answer=({"text": "42"},),
)


@pytest.mark.parametrize("state", [FULL, State("native"), State("native", answer=())])
def test_a_state_is_read_as_it_was_written(state):
    assert State.read(state.struct(), 1) == state


def test_a_state_is_made_for_people():
    assert plain(FULL.struct()) == {
        "form": "text",
        "system": "Be brief.",
        "tools": [{"name": "run", "plain": "command"}, {"name": "add"}],
        "conversation": ["m1", "m2"],
        "steps": [
            ["m3", {"user": "Observation: 1"}],
            [{"assistant": "cut"}, {"tool": "failed", "of": "run", "call": "c1"}],
        ],
        "said": ["m4"],
        "asked": "g3",
        "last": True,
        "pending": [{"tool": "run", "effect": "t2.1", "call": "c1"}, {"tool": "x", "refusal": "no"}],
        "mishaps": 2,
        "answer": [{"text": "42"}],
    }
    assert plain(State("native").struct()) == {"form": "native"}


def test_another_version_is_not_read():
    with pytest.raises(UnreadableVersion, match=r"^the state is of version 2; this strategy reads version 1$"):
        State.read(FULL.struct(), 2)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "KeyError: 'form'"),
        ({"form": "song"}, "ValueError: no form 'song'"),
        ({"form": "text", "steps": [[{"nobody": "x"}]]}, "ValueError: not enough values to unpack (expected 1, got 0)"),
        (
            {"form": "text", "pending": [{"tol": "x"}]},
            "TypeError: Pending.__init__() got an unexpected keyword argument 'tol'",
        ),
    ],
)
def test_what_is_no_state_is_refused(value, words):
    given = Struct()
    given.update(value)
    with pytest.raises(BrokenState) as caught:
        State.read(given, 1)
    assert str(caught.value) == f"the state cannot be read: {words}"


def test_own_messages_are_bounded_by_shortening_the_oldest():
    steps = tuple((Turn(id=f"m{n}"), Turn(role="user", text=f"Observation: {'ä' * 500}")) for n in range(4))
    kept = bounded(steps, 4000)
    left_out = Turn(role="user", text="Observation: (left out, as it is long ago)")
    assert [step[1] for step in kept] == [left_out, left_out, left_out, steps[3][1]]
    assert [step[0] for step in kept] == [step[0] for step in steps]
    assert bounded(steps, 10_000) == steps
