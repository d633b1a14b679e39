"""`${NAME}`, `${NAME:-default}` and `$$`, and the file `.env`."""

import contextlib

import pytest

from hector_host.config import load as load_file
from hector_host.config.variables import VariableError, escaped, expand

VARIABLES = {"A": "one", "B": "two", "EMPTY": "", "ODD": "${A} $$ }"}


@pytest.mark.parametrize(
    ("text", "expanded", "used"),
    [
        ("", "", set()),
        ("plain", "plain", set()),
        ("${A}", "one", {"A"}),
        ("x ${A} y ${B}", "x one y two", {"A", "B"}),
        ("${A}${A}", "oneone", {"A"}),
        ("$$", "$", set()),
        ("$${A}", "${A}", set()),
        ("$$$${A}", "$${A}", set()),
        ("$$${A}", "$one", {"A"}),
        ("$", "$", set()),
        ("$A costs $5", "$A costs $5", set()),
        ("}", "}", set()),
        ("${EMPTY}", "", {"EMPTY"}),
        ("${A:-x}", "one", {"A"}),
        ("${NONE:-x}", "x", set()),
        ("${EMPTY:-x}", "x", set()),
        ("${NONE:-}", "", set()),
        ("${NONE:-a:-b{c $d}", "a:-b{c $d", set()),
        ("${NONE:-${A}}", "one", {"A"}),
        ("${NONE:-${MISSING:-${B}!}}", "two!", {"B"}),
        ("${A:-${MISSING}}", "one", {"A"}),
        ("${NONE:-$$}", "$", set()),
        ("${ODD}", "${A} $$ }", {"ODD"}),
    ],
)
def test_texts_are_expanded_once_from_left_to_right(text, expanded, used):
    expansion = expand(text, VARIABLES)
    assert (expansion.text, expansion.used) == (expanded, used)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("${A}", True),
        ("${A:-x}", True),
        ("${NONE:-${A}}", True),
        (" ${A}", False),
        ("${A}${B}", False),
        ("$$", False),
        ("x", False),
    ],
)
def test_a_text_that_is_one_variable_is_known_as_such(text, whole):
    assert expand(text, VARIABLES).whole is whole


def test_a_variable_that_is_not_set_is_an_error():
    with pytest.raises(VariableError) as caught:
        expand("a ${MISSING} b", VARIABLES)
    assert caught.value.args == (
        "${MISSING} is not set",
        "Set it in the environment or in .env beside the file, or write ${MISSING:-default}.",
    )


def test_a_variable_in_a_default_that_is_needed_must_be_set():
    with pytest.raises(VariableError) as caught:
        expand("${NONE:-${MISSING}}", VARIABLES)
    assert caught.value.what == "${MISSING} is not set"


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("${", "${"),
        ("${}", "${}"),
        ("a ${1X}", "${1X}"),
        ("${A", "${A"),
        ("${A b}", "${A b}"),
        ("${A-b}", "${A-b}"),
        ("${A:-b", "${A:-b"),
        ("${A:-${B}", "${A:-${B}"),
        ("${A:-${b c}}", "${b c}}"),
    ],
)
def test_what_begins_like_a_variable_and_is_none_is_an_error(text, broken):
    with pytest.raises(VariableError) as caught:
        expand(text, VARIABLES)
    assert caught.value.args == (
        f'"{broken}" is no variable',
        "Write ${NAME} or ${NAME:-default}; a dollar is written $$.",
    )


def test_an_escaped_text_means_itself(chance):
    for _ in range(2000):
        text = "".join(chance.choice("$${}:-AB \n") for _ in range(chance.randint(0, 12)))
        expansion = expand(escaped(text), VARIABLES)
        assert (expansion.text, expansion.used) == (text, frozenset())


def test_expanding_any_text_ends_in_a_text_or_a_variable_error(chance):
    for _ in range(5000):
        text = "".join(
            chance.choice(["$", "$", "{", "}", ":-", "A", "B", "NONE", " "]) for _ in range(chance.randint(0, 14))
        )
        with contextlib.suppress(VariableError):
            expansion = expand(text, VARIABLES)
            assert expansion.used <= VARIABLES.keys()
            assert "$" in text or expansion.text == text


def test_deep_defaults_do_not_break_the_reader(refused):
    text = "${A:-" * 5000
    assert refused(f"name: '{text}'").startswith("hector.yaml:1: ")


AGENT = """
llms: {m: {type: "plugin:p", model: "%s"}}
plugins: {p: {path: .}}
"""


def model_of(config):
    return config.llms["m"].model


def test_dot_env_beside_the_file_sets_variables(folder, load):
    (folder / ".env").write_text(
        "# a comment\n\nexport PLAIN=one  # two\nSINGLE='three # ${PLAIN}'\nDOUBLE=\"four\\nfive\"\nEMPTY=\n",
        encoding="utf-8",
    )
    config = load(AGENT % "${PLAIN}|${SINGLE}|${DOUBLE}|${EMPTY}|")
    assert model_of(config) == "one|three # ${PLAIN}|four\nfive||"


def test_real_variables_win_over_dot_env(folder, load):
    (folder / ".env").write_text("NAME=from the file\n", encoding="utf-8")
    assert model_of(load(AGENT % "${NAME}", NAME="real")) == "real"
    assert model_of(load(AGENT % "${NAME}")) == "from the file"


def test_dot_env_is_the_one_beside_the_file_and_not_the_current_folders(folder, load):
    inner = folder / "inner"
    inner.mkdir()
    (folder / ".env").write_text("NAME=outside\n", encoding="utf-8")
    (inner / ".env").write_text("NAME=inside\n", encoding="utf-8")
    (inner / "hector.yaml").write_text(AGENT % "${NAME}", encoding="utf-8")
    assert model_of(load_file(inner / "hector.yaml", {})) == "inside"


def test_a_line_of_dot_env_that_is_no_assignment_is_named(folder, refused):
    (folder / ".env").write_text("A=1\n'broken\nB=2\n", encoding="utf-8")
    assert refused("{}") == ".env:2: is no assignment\n  Write NAME=value, one in a line."


def test_dot_env_that_is_no_text_is_named(folder, refused):
    (folder / ".env").write_bytes(b"A=\xff\n")
    assert refused("{}") == ".env: cannot be read: it is not UTF-8 text"


def test_dot_env_that_is_a_folder_is_named(folder, refused):
    (folder / ".env").mkdir()
    assert refused("{}") == ".env: cannot be read: Is a directory"
