"""A secret goes to the one plugin whose options name it, and into no output, log, error or journal."""

import pytest

from .conftest import FAULTY, echo

SECRET = 'sk-Fo0"b\\ar-1234567890'  # noqa: S105 - nobody's; characters that JSON and YAML write otherwise


@pytest.fixture
def keyed(hector):
    """Runs the agent `a` over a plugin whose option `key` is the secret; all that was printed."""
    hector.environ["API_KEY"] = SECRET

    def run(path, *arguments, **options):
        document = echo()
        plugin = {"path": str(FAULTY / path), "config": {"key": "${API_KEY}", **options}}
        document["plugins"]["llm_providers"]["echo"] = plugin
        hector.write(document)
        ended = hector(*(arguments or ("call", "a", "Hello", "--verbose")))
        return ended.out + ended.err

    return run


def kept(folder):
    """Every file of the storage, as text."""
    files = [path for path in (folder / ".hector").rglob("*") if path.is_file()]
    assert any(path.name == "runs.db" for path in files)
    return {path.name: path.read_bytes().decode(errors="replace") for path in files}


def appearances(text):
    forms = (SECRET, SECRET.replace("\\", "\\\\").replace('"', '\\"'))
    return [form for form in forms if form in text]


def test_a_plugin_that_logs_its_key_and_dies(hector, keyed):
    said = keyed("exits.py", stderr=f"cannot log in with {SECRET}\n", code=1)
    assert "cannot log in with ${API_KEY}" in said
    assert appearances(said) == []
    files = kept(hector.folder)
    assert "cannot log in with ${API_KEY}" in files["echo.log"]
    assert {name: appearances(text) for name, text in files.items() if appearances(text)} == {}


def test_a_plugin_that_answers_with_its_key_in_an_error(hector, keyed):
    said = keyed("raw.py", status=["FAILED_PRECONDITION", f"{SECRET} is not valid"], describe=["LLMProvider"])
    assert "${API_KEY} is not valid" in said
    assert appearances(said) == []
    assert [name for name, text in kept(hector.folder).items() if appearances(text)] == ["configured"]  # its own file


def test_a_call_that_fails_with_its_key_in_the_words(hector):
    hector.environ["API_KEY"] = SECRET
    document = echo({"text": "", "error": "401 for ${API_KEY}", "code": "UNAUTHENTICATED"})
    hector.write(document)
    assert hector.refusal("call", "a", "Hello", code=3) == (
        "hector: llm_provider/echo: StreamText: UNAUTHENTICATED: 401 for ${API_KEY}\n"
    )
    assert "401 for ${API_KEY}" in hector("runs", "list", "--json").json[0]["error"]
    assert [name for name, text in kept(hector.folder).items() if appearances(text)] == []


def test_a_secret_at_a_wrong_place_of_the_file(hector):
    hector.environ["API_KEY"] = SECRET
    document = echo()
    document["agents"]["a"]["llm"] = "${API_KEY}"
    document["llms"]["m"]["temperature"] = "${API_KEY}"
    hector.write(document)
    for arguments in (("call", "a", "Hello"), ("validate",), ("validate", "--print-config"), ("list",)):
        ended = hector(*arguments)
        assert (ended.code, appearances(ended.out + ended.err)) == (2, [])
        assert "${API_KEY}" in ended.out + ended.err


def test_the_file_with_every_default_keeps_the_variable(hector):
    hector.environ["API_KEY"] = SECRET
    document = echo()
    document["plugins"]["llm_providers"]["echo"]["config"] = {"replies": ["${API_KEY}"]}
    hector.write(document)
    printed = hector.answer("validate", "--print-config")
    assert "${API_KEY}" in printed
    assert appearances(printed) == []
