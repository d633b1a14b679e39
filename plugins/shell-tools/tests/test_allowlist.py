import pytest

from hector_sdk import Failure, InvalidOptions
from hector_shell_tools.allowlist import allowed, parse

ALLOWED = [["ls"], ["git", "log"], ["/bin/echo"]]


def refusal(command):
    with pytest.raises(Failure) as caught:
        parse(command, ALLOWED)
    return str(caught.value)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("ls -la 'a b'", ["ls", "-la", "a b"]),
        ("git log --oneline", ["git", "log", "--oneline"]),
        ("/bin/echo '|' \"&&\" a;b", ["/bin/echo", "|", "&&", "a;b"]),
        (r"/bin/echo it\'s \;", ["/bin/echo", "it's", ";"]),
        ("ls # no comment", ["ls", "#", "no", "comment"]),
    ],
)
def test_a_command_is_words(command, words):
    assert parse(command, ALLOWED) == words


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("rm -rf /", "`rm` is not allowed here. Allowed: ls, git log, /bin/echo"),
        ("git push", "`git` is not allowed here. Allowed: ls, git log, /bin/echo"),
        ("./ls", "`./ls` is not allowed here. Allowed: ls, git log, /bin/echo"),
        ("", "the command is empty"),
        ("ls | wc", "there is no shell, so `|` has no meaning: run one command, and quote such an argument"),
        ("ls 'a b' > out", "there is no shell, so `>` has no meaning: run one command, and quote such an argument"),
        ("ls 'open", "the command cannot be split into words: no closing quotation"),
        ("ls a\0b", "a command cannot contain a NUL character"),
    ],
)
def test_what_may_not_run_is_refused_in_words(command, words):
    assert refusal(command) == words


def test_allowed_commands_are_words():
    assert allowed(["ls", "git log", "/usr/bin/env 'a b'"]) == [["ls"], ["git", "log"], ["/usr/bin/env", "a b"]]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", "allowed_commands[1]: is empty: write the name of a program"),
        ("'ls", "allowed_commands[1]: no closing quotation"),
        ("./build.sh", 'allowed_commands[1]: "./build.sh": give a name on PATH or an absolute path'),
    ],
)
def test_entries_that_are_no_commands_are_refused(command, words):
    with pytest.raises(InvalidOptions) as caught:
        allowed(["ls", command])
    assert str(caught.value) == words
