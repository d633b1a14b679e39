"""Whatever a model, a tool or a strategy does wrong ends in a named error, or is told to the model, which goes on."""

import re

import pytest


def calling(tool: str, arguments: object) -> list[object]:
    return [{"tool_calls": [{"tool": tool, "arguments": arguments}]}, "I go on."]


MODEL = {
    "nothing": "CallError: llm_provider/model: StreamText ended without an answer\n"
    "  A stream of this plugin has to close with a message whose done is true.",
    "empty": "CallError: llm_provider/model: StreamText answered with nothing: no text and no tool call\n"
    "  Look into its log: LOG",
    "endless": "CallError: llm_provider/model: StreamText ended before it was done\n"
    "  A stream of this plugin has to close with a message whose done is true.",
    "dies": "CallError: llm_provider/model: its process ended (exit code 7), during StreamText\n  Its log: LOG",
    "stalls": "CallError: llm_provider/model: StreamText did not answer within 1 s\n"
    "  Give it more time with security.timeout of plugin model, or look into its log: LOG",
    "flood": "CallError: llm_provider/model: StreamText: streamed more than 64 MiB",
}


@pytest.mark.parametrize("fault", MODEL)
async def test_a_model_that_fails_is_named(hosting, fault, tmp_path):
    timeout = "1s" if fault == "stalls" else "20s"
    async with hosting(faults={"model": {"fault": fault}}, timeout=timeout) as agents:
        error = await agents.error()
    assert error.replace(str(tmp_path / ".hector/logs/model.log"), "LOG") == MODEL[fault]


TOOLS = {
    ("hang", "{}"): "no answer within 1 s",
    ("flood", "{}"): "it returned 50,000,[0-9]{3} bytes, at most 1,048,576 are accepted: ask for less",
    ("refuse", "{}"): "not today",
    ("crash", "{}"): "ZeroDivisionError",
    ("gone", "{}"): "there is no tool 'gone'; there are: crash, die, flood, hang, refuse, where",
    ("where", '{"place": "nowhere"}'): r"place: 'nowhere' is not one of \['here', 'there'\]",
    ("where", '{"place": "here", "times": "two"}'): "times: 'two' is not of type 'integer'",
    ("where", "{}"): "'place' is a required property",
    ("where", "[]"): r"the arguments are not an object but \[\]",
    ("where", "[" * 100_000): "the arguments are not JSON: maximum recursion depth exceeded.*",
    ("where", '{"place": "\\ud83d"}'): "the arguments cannot be sent: 'utf-8' codec can't encode .*",
    ("where", '{"times": 1' + "0" * 400 + "}"): "the arguments cannot be sent: int too large to convert to float",
    ("where", '{"place": '): "the arguments are not JSON: Expecting value: line 1 column 11 \\(char 10\\)",
}


@pytest.mark.parametrize(("tool", "arguments"), TOOLS, ids=lambda value: value[:30])
async def test_a_tool_call_that_fails_is_told_to_the_model_which_goes_on(hosting, tool, arguments):
    timeout = "1s" if tool == "hang" else "60s"
    async with hosting(calling(tool, arguments), faults={"tools": {}}, timeout=timeout) as agents:
        assert await agents.answer() == "I go on."
    finished = next(event.tool_finished for event in agents.events if event.HasField("tool_finished"))
    assert finished.failed
    assert re.fullmatch(TOOLS[tool, arguments], finished.result)


async def test_a_tool_that_works_gives_its_result(hosting):
    async with hosting(calling("where", {"place": "there", "times": 2}), faults={"tools": {}}) as agents:
        assert await agents.answer() == "I go on."
    finished = next(event.tool_finished for event in agents.events if event.HasField("tool_finished"))
    assert (finished.failed, finished.result) == (False, "there there")


async def test_a_tool_whose_process_dies_is_told_and_the_run_goes_on(hosting):
    script = [*({"tool_calls": [{"tool": name, "arguments": {}}]} for name in ("die", "refuse")), "I go on."]
    async with hosting(script, faults={"tools": {}}) as agents:
        assert await agents.answer() == "I go on."
    told = [event.tool_finished.result for event in agents.events if event.HasField("tool_finished")]
    assert told == ["tool_provider/tools: its process ended (exit code 9), during ExecuteTool", "not today"]
    steps = [step for step in agents.events[-1].run_finished.steps if step.kind == "tool"]
    assert [step.ok for step in steps] == [False, False]
    assert steps[0].pid != steps[1].pid  # it was started again


async def test_a_model_that_loops_ends_with_its_iterations(hosting):
    loop = [{"tool_calls": [{"tool": "where", "arguments": {"place": "here"}}]}]
    async with hosting(loop, faults={"tools": {}}, reasoning={"max_iterations": 5}) as agents:
        error = await agents.error()
    assert error == (
        "RunError: engine default: no answer within 5 iterations: the model went on calling tools\n"
        "  Raise reasoning.max_iterations of the agent, or ask for less at once."
    )


STRATEGY = {
    "twice": "RunError: reasoning_strategy/strategy: uses the effect id 'e' twice\n"
    "  An effect's id is unique within the run.",
    "nameless": "RunError: reasoning_strategy/strategy: asks for an effect without an id\n"
    "  An effect's id is unique within the run.",
    "kindless": "RunError: reasoning_strategy/strategy: effect 'e' is of a kind that this host does not know\n"
    "  Upgrade Hector to a version that knows what the strategy needs.",
    "large": "PluginError: reasoning_strategy/strategy: its state has 2,000,019 bytes, at most 1,048,576 are kept\n"
    "  A strategy names messages by their id and does not copy them into its state.",
    "both": "RunError: reasoning_strategy/strategy: is done and asks for 1 effects in one answer",
    "unknown": "RunError: reasoning_strategy/strategy: names a message 'nobody/1' that this run does not have",
    "never": "RunError: reasoning_strategy/strategy: no answer within 3 iterations: it has no answer\n"
    "  Raise reasoning.max_iterations of the agent, or ask for less at once.",
    "ask": "RunError: the agent asks, and nobody is there to answer: Which colour?\n"
    "  Run it where somebody can answer: hector chat, or hector call on a terminal.",
}


@pytest.mark.parametrize("fault", STRATEGY)
async def test_a_strategy_that_breaks_the_contract_is_named(hosting, fault):
    async with hosting(faults={"strategy": {"fault": fault}}, reasoning={"max_iterations": 3}) as agents:
        assert await agents.error() == STRATEGY[fault]


async def test_a_question_is_answered_by_who_is_there(hosting):
    async def ask(question):
        return f"{question.text[6:-1]}: blue"

    async with hosting(faults={"strategy": {"fault": "ask"}}) as agents:
        assert await agents.answer(ask=ask) == "colour: blue"
    assert agents.kinds() == ["run_started", "question", "run_finished"]
