import pytest

from hector.plugin.v1.llm_pb2 import TOOL_CHOICE_NONE, TOOL_CHOICE_UNSPECIFIED
from hector.plugin.v1.message_pb2 import Media, Part
from hector.plugin.v1.reasoning_pb2 import (
    FAILURE_KIND_DENIED,
    FAILURE_KIND_INVALID,
    FAILURE_KIND_NOT_FOUND,
    FAILURE_KIND_OUTCOME_UNKNOWN,
    FAILURE_KIND_TIMEOUT,
    FAILURE_KIND_TOOL,
    FAILURE_KIND_UNAVAILABLE,
    STREAM_ANSWER,
    Failure,
    Outcome,
)
from hector_sdk import Failure as GaveUp


@pytest.fixture
def native(host):
    return lambda *replies, **settings: host(**{"replies": list(replies), "tool_calling": True} | settings)


LS = ("c1", "run", '{"command": "ls"}')
ADD = ("c2", "add", '{"a": 1, "b": 2}')


async def test_thought_action_observation_answer(native, conversation):
    run = native(["I look.", LS], "There is a file.", results={"run": "a.txt"})
    answer = await run.run()
    assert answer.result == "There is a file."
    assert list(answer.parts) == []
    assert run.called == [("t2.1", "run", {"command": "ls"})]
    assert run.thoughts == ["", "I look.", "", ""]
    assert conversation(run.asked[0]) == [("system", "Be brief."), ("user", "What is there?")]
    assert conversation(run.asked[1]) == [
        ("system", "Be brief."),
        ("user", "What is there?"),
        ("assistant", 'I look.[c1: run {"command": "ls"}]'),
        ("tool", "[c1: a.txt]"),
    ]
    for asked in run.asked:
        assert [each.name for each in asked.input.tools] == ["run", "add"]
        assert asked.input.tool_choice == TOOL_CHOICE_UNSPECIFIED
        assert (asked.stream, asked.answer_marker) == (STREAM_ANSWER, "")
        assert list(asked.input.sampling.stop) == []


async def test_calls_of_one_message_are_performed_side_by_side_and_matched_by_id(native, conversation):
    run = native([LS, ADD], "Done.", results={"run": "a.txt", "add": "3"})
    await run.run()
    assert run.called == [("t2.1", "run", {"command": "ls"}), ("t2.2", "add", {"a": 1, "b": 2})]
    assert conversation(run.asked[1])[-2:] == [("tool", "[c1: a.txt]"), ("tool", "[c2: 3]")]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (FAILURE_KIND_TOOL, "run failed: why."),
        (FAILURE_KIND_INVALID, "run does not accept this input: why. Correct the input."),
        (FAILURE_KIND_NOT_FOUND, "run cannot be called: why."),
        (FAILURE_KIND_DENIED, "run is not permitted here: why. Do not try it again."),
        (FAILURE_KIND_TIMEOUT, "run did not answer in time: why. It may have done a part of its work."),
        (FAILURE_KIND_UNAVAILABLE, "run is out of reach now: why. Find another way, or say that it is."),
        (
            FAILURE_KIND_OUTCOME_UNKNOWN,
            "It is unknown whether run did its work: why. Check before you do it again.",
        ),
    ],
)
async def test_a_failed_call_is_told_to_the_model(native, conversation, kind, words):
    run = native([LS], "It failed.", results={"run": Failure(kind=kind, message="why")})
    assert (await run.run()).result == "It failed."
    assert conversation(run.asked[1])[-1] == ("tool", f"[c1: !{words}]")


async def test_the_last_generation_must_answer(native, conversation):
    run = native([LS], "As far as I know: a file.", results={"run": "a.txt"}, max_iterations=3)
    assert (await run.run()).result == "As far as I know: a file."
    assert run.asked[1].input.tool_choice == TOOL_CHOICE_NONE
    assert conversation(run.asked[1])[-1] == (
        "user",
        "Observation: No more tools can be called. Answer now, as well as you can with what you know.",
    )


async def test_a_model_that_calls_tools_to_the_last_may_have_said_something_at_least(native):
    run = native(["Perhaps a file.", LS], max_iterations=1)
    assert (await run.run()).result == "Perhaps a file."
    assert run.called == []


async def test_a_model_that_never_answers_ends_the_run_without_an_answer(native):
    with pytest.raises(GaveUp, match=r"^the model was told to answer at last, and did not$"):
        await native([LS], [LS], results={"run": "a.txt"}, max_iterations=3).run()


async def test_what_no_generation_would_see_is_not_done(native, conversation):
    run = native([LS, ADD], "I cannot look any more.", max_iterations=2)
    assert (await run.run()).result == "I cannot look any more."
    assert run.called == []
    assert conversation(run.asked[1])[-3:-1] == [
        ("tool", "[c1: !Not done: no more actions are possible.]"),
        ("tool", "[c2: !Not done: no more actions are possible.]"),
    ]
    assert run.asked[1].input.tool_choice == TOOL_CHOICE_NONE


async def test_without_tools_it_is_one_question(native, conversation):
    run = native("Hello.", tools=(), system="", tool_calling=False, max_iterations=1)
    assert (await run.run()).result == "Hello."
    assert conversation(run.asked[0]) == [("user", "What is there?")]
    assert run.asked[0].input.tool_choice == TOOL_CHOICE_UNSPECIFIED


async def test_an_empty_reply_is_asked_for_again_and_not_for_ever(native, conversation):
    run = native("", "Here I am.")
    assert (await run.run()).result == "Here I am."
    assert conversation(run.asked[1])[-1] == (
        "user",
        "Observation: Your reply was empty. Go on: use a tool, or answer.",
    )
    with pytest.raises(GaveUp, match=r"^the model gave 4 replies in a row that were of no use$"):
        await native("", "", "", "").run()


async def test_a_model_that_failed_ends_the_run(native):
    broken = Outcome(failure=Failure(kind=FAILURE_KIND_UNAVAILABLE, message="llm/x: gone"))
    with pytest.raises(GaveUp, match=r"^the model failed: llm/x: gone$"):
        await native(broken).run()


async def test_what_the_user_says_meanwhile_is_heard(native, conversation):
    run = native(
        [LS], "One file.", "One file, in French: un fichier.", results={"run": "a"}, said={3: "Hurry", 4: "French!"}
    )
    assert (await run.run()).result == "One file, in French: un fichier."
    assert conversation(run.asked[1])[-2:] == [("tool", "[c1: a]"), ("user", "Hurry")]
    assert conversation(run.asked[2])[-2:] == [("assistant", "One file."), ("user", "French!")]


async def test_pictures_are_part_of_the_answer(native):
    run = native()
    picture = Part(media=Media(mime_type="image/png", blob="b1"), signature=b"s")
    message = run.hold(3, Part(reasoning="hm"), Part(text="Look: "), picture)
    run.replies = [Outcome(message=message)]
    answer = await run.run()
    assert answer.result == "Look: "
    assert list(answer.parts) == [Part(text="Look: "), Part(media=Media(mime_type="image/png", blob="b1"))]
