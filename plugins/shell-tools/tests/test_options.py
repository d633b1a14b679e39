import pytest

from hector_sdk import InvalidOptions
from hector_shell_tools.options import Limits, Options, directory, limits


def refusal(call, *arguments):
    with pytest.raises(InvalidOptions) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), Limits(30.0, 65536)),
        (Options(timeout="500ms", max_output="512KB"), Limits(0.5, 512 * 1024)),
        (Options(timeout=1.5, max_output=1024), Limits(1.5, 1024)),
        (Options(timeout="2m", max_output="2048B"), Limits(120.0, 2048)),
    ],
)
def test_limits_in_plain_units(options, expected):
    assert limits(options) == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(timeout="soon"), 'timeout: "soon" is not a duration: write it as 30s or 5m'),
        (Options(timeout=0), "timeout: 0 s is not between 0 and 24h"),
        (Options(timeout="25h"), "timeout: 90000 s is not between 0 and 24h"),
        (Options(max_output="lots"), 'max_output: "lots" is not a size: write it as 64KB or 1MB'),
        (Options(max_output="1GB"), "max_output: 1073741824 bytes are not between 1KB and 512KB"),
        (Options(max_output=1), "max_output: 1 bytes are not between 1KB and 512KB"),
    ],
)
def test_limits_out_of_bounds_are_refused(options, words):
    assert refusal(limits, options) == words


def test_the_working_directory_is_the_named_one_or_the_plugins_own(tmp_path):
    assert directory(Options(working_directory=str(tmp_path)), None) == tmp_path
    assert directory(Options(), tmp_path / "data") == tmp_path / "data" / "work"
    assert (tmp_path / "data" / "work").is_dir()


def test_a_working_directory_that_is_not_there_is_refused(tmp_path):
    gone = tmp_path / "gone"
    assert refusal(directory, Options(working_directory=str(gone)), tmp_path) == (
        f"working_directory: {gone} is not a directory"
    )
    assert refusal(directory, Options(), None) == (
        "working_directory: is required where the plugin has no data directory"
    )
