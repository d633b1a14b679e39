"""What each model answers: the README's section Behaviour, line by line."""

import pytest

from hector.plugin.v1.llm_pb2 import (
    FINISH_REASON_LENGTH,
    FINISH_REASON_STOP,
    FINISH_REASON_TOOL_CALLS,
    TOOL_CHOICE_NONE,
    GenerateTextRequest,
)
from hector_echo_llm.plugin import EchoLLM
from hector_sdk import calls
from hector_sdk.testing import running


async def ask(model, asked=None, prompt="", **options):
    async with running(EchoLLM(), config=options) as stubs:
        return await stubs.llm.GenerateText(GenerateTextRequest(model=model, input=asked, prompt=prompt))


class TestEcho:
    async def test_it_says_the_prompt_back_where_there_are_no_messages(self):
        answer = await ask("", prompt="  hello\tyou\n")
        assert answer.text == "  hello\tyou\n"
        assert (answer.output.model, answer.output.finish_reason) == ("echo", FINISH_REASON_STOP)
        assert answer.usage.prompt_tokens == answer.usage.completion_tokens == 2

    async def test_it_says_the_last_user_message_back(self, says):
        asked = says.asked(says.user("one"), says.user("two ", "parts"), says.assistant("yes"), says.result("found it"))
        answer = await ask("echo", asked, prompt="not this")
        assert answer.text == "two parts"
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (6, 2, 8)

    async def test_without_a_user_message_it_says_the_prompt(self, says):
        assert (await ask("echo", says.asked(says.assistant("hm")), prompt="this")).text == "this"

    async def test_of_nothing_it_says_nothing(self):
        answer = await ask("echo")
        assert answer.text == ""
        assert len(answer.output.message.parts) == 0
        assert answer.usage.total_tokens == 0


class TestScript:
    async def test_every_question_starts_it_anew_and_the_last_reply_is_repeated(self, says):
        replies = ["first", {"text": "second"}]
        talk = [says.user("q")]
        for expected in ("first", "second", "second"):
            assert (await ask("script", says.asked(*talk), replies=replies)).text == expected
            talk.append(says.assistant(expected))
        talk.append(says.user("another"))
        assert (await ask("script", says.asked(*talk), replies=replies)).text == "first"

    async def test_an_observation_is_no_question(self, says):
        asked = says.asked(says.user("q"), says.assistant("Action: search"), says.user("Observation: nothing"))
        assert (await ask("script", asked, replies=["first", "second"])).text == "second"

    async def test_it_calls_tools(self, says):
        arguments = {"b": [1, 2.5, None], "a": "é <&>"}
        reply = {
            "text": "Let me see.",
            "tool_calls": [
                {"tool": "x", "arguments": arguments},
                {"tool": "y", "arguments": "{no json"},
                {"tool": "z"},
            ],
        }
        answer = await ask("script", says.asked(says.assistant("", "x"), says.user("q")), replies=[reply])
        assert (answer.text, answer.output.finish_reason) == ("Let me see.", FINISH_REASON_TOOL_CALLS)
        assert answer.output.message.parts[0].text == "Let me see."
        assert [(call.id, call.tool, call.arguments) for call in calls(answer.output.message)] == [
            ("call-2", "x", '{"a":"é <&>","b":[1,2.5,null]}'),
            ("call-3", "y", "{no json"),
            ("call-4", "z", "{}"),
        ]

    async def test_it_ends_as_it_is_told(self):
        answer = await ask("script", prompt="q", replies=[{"text": "cut", "finish": "length"}])
        assert (answer.text, answer.output.finish_reason) == ("cut", FINISH_REASON_LENGTH)


class TestReader:
    async def test_it_searches_for_the_question(self, says):
        talk = (says.user("old"), says.result("old result"), says.user('who "was" it?'))
        answer = await ask("reader", says.asked(*talk, tools=("other", "search")))
        (call,) = calls(answer.output.message)
        assert (call.id, call.tool, call.arguments) == ("call-1", "search", '{"query":"who \\"was\\" it?"}')
        assert (answer.text, answer.usage.completion_tokens) == ("", 0)

    async def test_it_answers_with_the_best_passage_and_its_source(self, says):
        passages = [
            {"text": "low", "source": "a.md:1", "score": 0.1},
            {"text": "\n best \n", "source": "b.md:2", "score": 0.9, "store": "docs"},
            {"text": "equal", "source": "c.md:3", "score": 0.9},
            {"text": "unscored"},
        ]
        answer = await ask("reader", says.asked(says.user("q"), says.result("text form", passages=passages)))
        assert answer.text == "best\n\nSource: b.md:2"

    async def test_it_answers_with_text_where_nothing_is_structured(self, says):
        answer = await ask("reader", says.asked(says.user("q"), says.result(" plain ", "words\n")))
        assert answer.text == "plain words"

    @pytest.mark.parametrize("passages", [[], [{"source": "a.md:1"}], None])
    async def test_it_says_that_it_found_nothing(self, says, passages):
        answer = await ask("reader", says.asked(says.user("q"), says.result(passages=passages)))
        assert answer.text == "I searched and found nothing."

    async def test_it_says_that_the_search_failed(self, says):
        failed = says.result("no such collection", failed=True)
        assert (await ask("reader", says.asked(says.user("q"), failed))).text == "The search failed: no such collection"
        answered = await ask("reader", says.asked(says.user("q"), says.result("found"), failed))
        assert answered.text == "found"

    async def test_it_says_that_it_cannot_search(self, says):
        sorry = "I cannot look that up: no tool named search was offered."
        assert (await ask("reader", prompt="q")).text == sorry
        assert (await ask("reader", says.asked(says.user("q"), tools=("other",)))).text == sorry
        forbidden = says.asked(says.user("q"), tools=("search",), tool_choice=TOOL_CHOICE_NONE)
        assert (await ask("reader", forbidden)).text == sorry
        assert (await ask("reader", says.asked(says.user("q"), says.result("42", tool="other")))).text == sorry
