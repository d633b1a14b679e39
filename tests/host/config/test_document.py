"""YAML as it is read: types, lines, and everything that is refused before a key is looked at."""

# ruff: noqa: E501 (messages stand as they are printed)

import textwrap
from pathlib import Path

import pytest

from hector_host.config import document as documents
from hector_host.errors import ConfigError


@pytest.fixture
def read(folder: Path):
    def read(text: str | bytes, variables: dict[str, str] | None = None) -> documents.Document:
        data = text if isinstance(text, bytes) else textwrap.dedent(text).encode()
        (folder / "x.yaml").write_bytes(data)
        return documents.read(folder / "x.yaml", "x.yaml", variables, "Write it.")

    return read


@pytest.fixture
def broken(read):
    """The message of a text that is refused."""

    def message(text: str | bytes) -> str:
        with pytest.raises(ConfigError) as caught:
            read(text).refuse()
        return str(caught.value)

    return message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-17", -17),
        ("0x1F", 31),
        ("0o17", 15),
        ("007", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("9" * 101, "9" * 101),
        ("٣", "٣"),
        ('"1"', "1"),
        ("'true'", "true"),
        ('""', ""),
        ("plugin:x", "plugin:x"),
    ],
)
def test_scalars_have_the_types_of_yaml_1_2_as_far_as_json_has_them(read, text, value):
    found = read(f"key: {text}\n").value["key"]
    assert found == value
    assert type(found) is type(value)


def test_blocks_of_text_are_text(read):
    assert read("a: |\n  12\n  x\nb: >\n  12\n").value == {"a": "12\nx\n", "b": "12\n"}


def test_keys_are_text_as_written(read):
    assert read("1: a\ntrue: b\nnull: c\n1.0: d\n").value == {"1": "a", "true": "b", "null": "c", "1.0": "d"}


def test_every_value_has_the_line_of_its_key_or_its_place_in_a_list(read):
    document = read(
        """\
        a:
          b: 1
          c: [x,
              y]
        d:
          - e: 1
            f: 2
          - g
        """
    )
    assert document.lines == {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "c"): 3,
        ("a", "c", 0): 3,
        ("a", "c", 1): 4,
        ("d",): 5,
        ("d", 0): 6,
        ("d", 0, "e"): 6,
        ("d", 0, "f"): 7,
        ("d", 1): 8,
    }


def test_a_place_that_is_not_in_the_file_has_the_line_of_the_nearest_that_is(read):
    document = read("a:\n  b: {c: 1}\n")
    assert document.locate(("a", "b", "missing", 3)) == "x.yaml:2: a.b.missing[3]"
    assert document.locate(("nowhere",)) == "x.yaml: nowhere"


def test_an_alias_is_the_value_that_its_anchor_names(read):
    document = read("a: &one {x: [1, 2]}\nb: *one\nc: [*one]\n")
    assert document.value == {"a": {"x": [1, 2]}, "b": {"x": [1, 2]}, "c": [{"x": [1, 2]}]}


def test_an_anchor_may_be_set_again(read):
    assert read("a: &n 1\nb: *n\nc: &n 2\nd: *n\n").value == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_a_byte_order_mark_and_windows_line_ends_are_no_text(read):
    document = read(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert document.value == {"a": 1, "b": 2}
    assert document.lines["b",] == 2


def test_without_variables_a_dollar_is_a_dollar(read):
    assert read("a: ${X} $$\n").value == {"a": "${X} $$"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${N}", 5),
        ('"${N}"', "5"),
        ("'${N}'", "5"),
        ("${N}5", "55"),
        ("${T}", True),
        ("${T:-false}", True),
        ("${NONE:-1.5}", 1.5),
        ("${NONE:-}", None),
        ('"${NONE:-1.5}"', "1.5"),
        ("|-\n  ${N}", "5"),
        ("x${N}", "x5"),
        ("$$5", "$5"),
    ],
)
def test_only_an_unquoted_variable_alone_gets_a_type(read, written, value):
    found = read(f"key: {written}\n", {"N": "5", "T": "true"}).value["key"]
    assert found == value
    assert type(found) is type(value)


def test_variables_are_not_looked_for_in_keys_nor_their_values_read_as_yaml(read):
    document = read("'${N}': ${Y}\n", {"N": "5", "Y": "{a: 1}"})
    assert document.value == {"${N}": "{a: 1}"}


QUOTES = '\n  Inside { } and [ ] write variables in quotes: "${NAME}".'
LOOK = "\n  Look at the indentation and the quotes there."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: {b: ${X}}\n",
            "x.yaml:1: broken YAML: did not find expected ',' or '}', while parsing a flow mapping that begins in line 1"
            + QUOTES,
        ),
        (
            "a: 1\nb: [1,\n",
            "x.yaml:3: broken YAML: did not find expected node content, while parsing a flow node that begins in line 3"
            + LOOK,
        ),
        (
            "a: 1\n b: 2\n",
            "x.yaml:2: broken YAML: mapping values are not allowed in this context" + LOOK,
        ),
        (
            "a:\n\t- 1\n",
            "x.yaml:2: broken YAML: found character that cannot start any token, while scanning for the next token that "
            "begins in line 2" + LOOK,
        ),
        (
            'a: "x\n',
            "x.yaml:2: broken YAML: found unexpected end of stream, while scanning a quoted scalar that begins in line 1"
            + LOOK,
        ),
        (
            "a: !!python/object:os.system x\n",
            "x.yaml:1: the tag tag:yaml.org,2002:python/object:os.system is not read\n  Remove the tag.",
        ),
        ("a: 1\nb: !mine {}\n", "x.yaml:2: the tag !mine is not read\n  Remove the tag."),
        ("a: !!str 1\n", "x.yaml:1: the tag tag:yaml.org,2002:str is not read\n  Remove the tag."),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: a second document begins\n  Write one document in a file."),
        ("a: *x\n", "x.yaml:1: *x names no value that ends above it\n  Write &x before the value that is meant."),
        ("a: &x [*x]\n", "x.yaml:1: *x names no value that ends above it\n  Write &x before the value that is meant."),
        ("? [a, b]\n: 1\n", "x.yaml:1: a key is a list or a mapping\n  Write keys as text."),
        ("{a: 1}: 1\n", "x.yaml:1: a key is a list or a mapping\n  Write keys as text."),
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3: a: is written twice, first in line 1\n  Keep one of them."),
        (
            "a:\n  b: 1\n  b: 2\n  b: 3\n",
            "x.yaml:3: a.b: is written twice, first in line 2\n  Keep one of them.\nx.yaml:4: a.b: is written twice, first in line 2\n  Keep one of them.",
        ),
        (
            "a: &a {x: 1}\nb:\n  <<: *a\n",
            "x.yaml:3: b.<<: mappings are not merged\n  Write the keys out, or alias a whole value.",
        ),
        (b"a: 1\nb: \xff\n", "x.yaml:2: is not UTF-8 text\n  Save the file as UTF-8."),
        (
            b"a: 1\nb: \x01\n",
            "x.yaml:2: holds the control character '\\x01'\n  Remove it.",
        ),
        ("[" * 65, "x.yaml:1: is nested deeper than 64 levels"),
        ("[" * 500_000, "x.yaml:1: is nested deeper than 64 levels"),
        ("- " * 500_000, "x.yaml:1: is nested deeper than 64 levels"),
        ("#" * (1 << 20) + "\n", "x.yaml: is larger than 1 MiB"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(broken, text, message):
    assert broken(text) == message


def test_aliases_that_multiply_are_refused(broken):
    levels = ["a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert broken("\n".join(levels)) == "x.yaml:1: has more than 100000 values"


def test_aliases_that_nest_are_refused(broken):
    levels = ["a: &a0 [x]", *(f"b{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000))]
    assert broken("\n".join(levels)) == "x.yaml:1: is nested deeper than 64 levels"


def test_a_file_that_is_not_there_or_no_file_is_named(folder):
    with pytest.raises(ConfigError) as caught:
        documents.read(folder / "x.yaml", "x.yaml", None, "Write it.")
    assert str(caught.value) == "x.yaml: no such file\n  Write it."
    with pytest.raises(ConfigError) as caught:
        documents.read(folder, "here", None, "Write it.")
    assert str(caught.value) == "here: cannot be read: Is a directory"
