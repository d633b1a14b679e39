import pytest

from hector_react_reasoning.transcript import MAX_ACTIONS, Written, read


def acts(reply):
    said = read(reply)
    assert said.answer is None
    return list(said.actions)


def test_the_form_as_it_is_taught():
    reply = 'Thought: I look it up.\nAction: search\nAction Input: {"query": "otters"}\n'
    said = read(reply)
    assert said.thought == "I look it up."
    assert said.actions == (Written("search", '{"query": "otters"}'),)
    assert said.answer is None
    assert said.kept == reply.rstrip()


def test_an_answer_is_all_that_follows_its_marker():
    said = read("Thought: I know.\nFinal Answer: Forty-two.\n\nThought: is a word here\nAction: too\n")
    assert said.thought == "I know."
    assert said.answer == "Forty-two.\n\nThought: is a word here\nAction: too"
    assert said.actions == ()


@pytest.mark.parametrize(
    "reply",
    [
        "Action: run\nAction Input: ls",
        "action: run\nACTION INPUT: ls",
        "**Action:** run\n**Action Input:** ls",
        "**Action**: `run`\n**Action Input**: `ls`",
        "- Action: run\n- Action Input: ls",
        "### Action: run\n### Action Input:\nls",
        "> Action 1: run\n> Action Input 1: ls",
        "Action : run\nAction_Input : ls",
        "Action: run\n\nAction Input:\n```\nls\n```",
        "Action: run\nAction Input: ```sh\nls\n```\n",
        "```\nAction: run\nAction Input: ls\n```",
        "Action: run\nls",
        "Action: run\n```\nls\n```",
        "Action: run[ls]",
        "Action: run(ls).",
        "Action: run[ls]\nPAUSE",
        'Action: {"action": "run", "action_input": "ls"}',
        'Action:\n```json\n{"tool": "run", "input": "ls"}\n```',
        "Action: run\nAction Input: ls\nObservation: a b c\nThought: now I know\nFinal Answer: a b c",
        "Action: run\nAction Input: ls\nFinal Answer: I guess it is a b c",
        "Action: run\nAction Input: ls\nAction: run\nAction Input: ls",
        "Action: run\nAction Input: ls\nAction: Finish\nAction Input: done",
    ],
)
def test_one_action_however_it_is_written(reply):
    assert acts(reply) == [Written("run", "ls")]


def test_several_actions_are_done_in_their_order():
    reply = 'Thought: both\nAction: a\nAction Input: {"x": 1}\nAction: b\nThought: and\nAction: c\nAction Input: {}'
    assert acts(reply) == [Written("a", '{"x": 1}'), Written("b"), Written("c", "{}")]
    assert read(reply).thought == "both\nand"


def test_an_action_with_json_arguments_in_one_object():
    reply = 'Action: {"name": "add", "arguments": {"a": 1, "b": [2]}}'
    assert acts(reply) == [Written("add", '{"a": 1, "b": [2]}')]


def test_what_was_made_up_is_not_kept():
    real = "Thought: look\nAction: run\nAction Input: ls"
    for invented in ("\nObservation: x\nThought: so", "\nFinal Answer: x", "\n\nObservation 1: x"):
        assert read(real + invented).kept == real


def test_an_observation_before_any_action_is_passed_over():
    said = read("Observation: it rains\nThought: so\nFinal Answer: Take an umbrella.")
    assert (said.thought, said.answer) == ("so", "Take an umbrella.")


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Just an answer.", "Just an answer."),
        ("Thought: only a thought", "only a thought"),
        ("Thought: I know it. Final Answer: 42", "42"),
        ("**Final Answer:** **bold** words", "**bold** words"),
        ("final answer: 42", "42"),
        ("```\nThought: x\nFinal Answer: 42\n```", "42"),
        ("Final Answer: see\n```\ncode\n```", "see\n```\ncode\n```"),
        ("Final Answer:", ""),
        ("", ""),
        ("Action: Finish[42]", "42"),
        ("Action: None\nAction Input: None\nFinal Answer: 42", "42"),
        ("Thought: 42 it is.\nAction: N/A", "42 it is."),
        ("Thought: I know\nAction: Final Answer\nAction Input: 42", "42"),
    ],
)
def test_answers(reply, answer):
    said = read(reply)
    assert (said.answer, said.actions) == (answer, ())


def test_a_model_that_repeats_itself_is_bounded():
    assert len(acts("".join(f"Action: a\nAction Input: {number}\n" for number in range(1000)))) == MAX_ACTIONS


@pytest.mark.timeout(20)  # linear time takes a moment, quadratic time takes minutes
@pytest.mark.parametrize(
    ("reply", "actions"),
    [
        (" " * 200_000, 0),
        ("Thought" + " " * 200_000, 0),
        ("Action: " + "*" * 200_000, 0),
        ("Action: a[" + "]" * 100_000 + "x", 1),
        ("Final Answer:" + "`" * 200_000, 0),
        ("Action: a\n" * 20_000, 1),
        ("Action: none\n" * 20_000, 0),
    ],
)
def test_strange_replies_take_linear_time(reply, actions):
    assert len(read(reply).actions) == actions
