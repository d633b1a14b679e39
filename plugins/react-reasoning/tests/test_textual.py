import pytest

from hector.plugin.v1.reasoning_pb2 import FAILURE_KIND_OUTCOME_UNKNOWN, STREAM_ANSWER, Failure
from hector_react_reasoning.textual import OBSERVATION
from hector_sdk import Failure as GaveUp

LS = 'Thought: I look.\nAction: run\nAction Input: {"command": "ls"}'

SYSTEM = """\
Be brief.

You can use tools to find out what you do not know and to do what is asked. These are all of them:

- run: Runs a command.
    command (string, required)
- add
    a (number, required)
    b (number, required)

Write in this form, each label at the beginning of a line:

Thought: what you know, what is missing, and what to do next
Action: the name of one tool
Action Input: its input, as one JSON object

Then stop. The result comes back to you as an Observation; never write one yourself. Think and act again as often as it
takes. When you know the answer, write:

Thought: why this is the answer
Final Answer: the answer, complete, as the user shall read it"""


async def test_thought_action_observation_answer(host, conversation):
    run = host([LS, "Thought: I see.\nFinal Answer: A file."], {"run": "a.txt"})
    answer = await run.run()
    assert answer.result == "A file."
    assert run.called == [("t2.1", "run", {"command": "ls"})]
    assert run.thoughts == ["", "I look.", "", "I see."]
    assert conversation(run.asked[0]) == [("system", SYSTEM), ("user", "What is there?")]
    assert conversation(run.asked[1])[2:] == [("assistant", LS), ("user", "Observation: a.txt")]
    for asked in run.asked:
        assert list(asked.input.sampling.stop) == ["\nObservation:"]
        assert (asked.stream, asked.answer_marker) == (STREAM_ANSWER, "Final Answer:")
        assert list(asked.input.tools) == []


async def test_the_form_can_be_chosen_for_a_model_that_calls_tools(host):
    run = host(["Final Answer: Yes."], tool_calling=True, options={"form": "text"})
    assert (await run.run()).result == "Yes."
    assert run.asked[0].answer_marker == "Final Answer:"


async def test_several_actions_are_performed_side_by_side(host, conversation):
    reply = LS + '\nAction: add\nAction Input: {"a": 1, "b": 2}\nAction: find'
    run = host([reply, "Final Answer: Done."], {"run": "a.txt", "add": "3"})
    await run.run()
    assert run.called == [("t2.1", "run", {"command": "ls"}), ("t2.2", "add", {"a": 1, "b": 2})]
    assert conversation(run.asked[1])[-1] == (
        "user",
        (
            "Observation: 3 results\n1. run: a.txt\n2. add: 3\n3. find: "
            "There is no tool `find`. There are: run, add. Without a tool, write `Final Answer:`."
        ),
    )


async def test_an_invented_observation_is_cut_from_what_the_model_sees_again(host, conversation):
    run = host([LS + "\nObservation: b.txt\nFinal Answer: b.txt", "Final Answer: a.txt"], {"run": "a.txt"})
    assert (await run.run()).result == "a.txt"
    assert conversation(run.asked[1])[2:] == [("assistant", LS), ("user", "Observation: a.txt")]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (
            "Action: find\nAction Input: {}",
            "There is no tool `find`. There are: run, add. Without a tool, write `Final Answer:`.",
        ),
        (
            "Action: add\nAction Input: {'a': 1}",
            (
                "The input of `add` is not JSON: Expecting property name enclosed in double quotes at line 1, column 2."
                " Write it as one JSON object."
            ),
        ),
        (
            "Action: add\nAction Input: 1, 2",
            "The input of `add` is not JSON: it is not an object. Write it as one JSON object.",
        ),
        (
            'Action: run\nAction Input: {"command": "ls}',
            (
                "The input of `run` is not JSON: Unterminated string starting at at line 1, column 13."
                " Write it as one JSON object."
            ),
        ),
    ],
)
async def test_what_cannot_be_done_is_said_at_once_and_can_be_repaired(host, conversation, action, words):
    run = host([action, LS, "Final Answer: a."], {"run": "a"})
    assert (await run.run()).result == "a."
    assert conversation(run.asked[1])[-1] == ("user", f"Observation: {words}")
    assert len(run.thoughts) == 5  # no iteration is lost on the repair


async def test_repairs_end(host):
    run = host(["Action: find"] * 4)
    with pytest.raises(GaveUp, match=r"^the model gave 4 replies in a row that were of no use$"):
        await run.run()


@pytest.mark.parametrize(
    "written",
    [
        "ls -la",
        '"ls -la"',
        "`ls -la`",
        "```\nls -la\n```",
        '{"command": "ls -la"}',
        '```json\n{"command": "ls -la"}\n```',
    ],
)
async def test_a_tool_that_takes_one_text_takes_it_without_json(host, written):
    run = host([f"Action: RUN\nAction Input: {written}", "Final Answer: ok"], {"run": ""})
    await run.run()
    assert run.called == [("t2.1", "run", {"command": "ls -la"})]


async def test_what_no_message_can_carry_is_replaced(host):
    run = host([r'Action: {"tool": "run", "input": {"command": "\ud800"}}', "Final Answer: ok"], {"run": ""})
    await run.run()
    assert run.called == [("t2.1", "run", {"command": "?"})]
    run = host([r'Action: {"tool": "\ud800"}', "Final Answer: ok"])
    await run.run()
    run = host(["Action: run\nAction Input: " + "[" * 100_000, "Final Answer: ok"], {"run": ""})
    await run.run()
    assert run.called == [("t2.1", "run", {"command": "[" * 100_000})]


async def test_results_without_text_and_long_ones(host, conversation):
    run = host([LS, "Final Answer: ok"], {"run": ""})
    await run.run()
    assert conversation(run.asked[1])[-1] == ("user", "Observation: (nothing)")
    run = host([LS, "Final Answer: ok"], {"run": "a" * OBSERVATION + "b" * OBSERVATION})
    await run.run()
    half = OBSERVATION // 2
    assert conversation(run.asked[1])[-1] == (
        "user",
        f"Observation: {'a' * half}\n[{OBSERVATION} characters left out]\n{'b' * half}",
    )


async def test_a_failed_action_is_told_to_the_model(host, conversation):
    unknown = Failure(kind=FAILURE_KIND_OUTCOME_UNKNOWN, message="it died")
    run = host([LS, "Final Answer: ok"], {"run": unknown})
    await run.run()
    assert conversation(run.asked[1])[-1] == (
        "user",
        "Observation: It is unknown whether run did its work: it died. Check before you do it again.",
    )


@pytest.mark.parametrize("reply", ["It is a file.", "Thought: It is a file."])
async def test_a_reply_without_labels_is_the_answer(host, reply):
    assert (await host([reply]).run()).result == "It is a file."


async def test_the_last_generation_must_answer(host, conversation):
    run = host([LS, LS], {"run": "a.txt"}, max_iterations=3)
    assert (await run.run()).result == "I look."  # it went on, and this is the best that it said
    assert conversation(run.asked[1])[-1] == (
        "user",
        (
            "Observation: No more actions are possible."
            " Reply now with `Final Answer:` and the best answer that you can give."
        ),
    )
    assert len(run.called) == 1
