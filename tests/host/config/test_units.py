"""Durations, sizes, networks, addresses and references: what is read, what is written back, what is refused."""

import pytest

from hector_host.config import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30.0), ("5m", 300.0), ("500ms", 0.5), ("1h", 3600.0), ("1.5s", 1.5), ("0.5h", 1800.0), ("1ms", 0.001)],
)
def test_durations_are_read(text, seconds):
    assert units.seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "30", "s", "-1s", "1 s", "1d", "1S", "1m30s", "1e3s", ".5s", "1.s", "٣s", "30s\n"]
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(units.UnitError) as caught:
        units.seconds(text)
    assert caught.value.args == ("is not a duration", "Write it as 500ms, 30s, 5m or 1h.")


@pytest.mark.parametrize("text", ["0s", "0ms", "10000h"])
def test_durations_have_bounds(text):
    with pytest.raises(units.UnitError) as caught:
        units.seconds(text)
    assert caught.value.args == ("is no usable duration", "Write more than 0s and at most a year.")


def test_every_duration_is_written_as_it_is_read(chance):
    for _ in range(2000):
        text = f"{chance.randint(1, 5000)}{chance.choice(['ms', 's', 'm', 'h'])}"
        seconds = units.seconds(text)
        assert units.seconds(units.duration(seconds)) == pytest.approx(seconds, abs=1e-9), text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(60.0, "1m"), (90.0, "90s"), (3600.0, "1h"), (0.25, "250ms"), (1.5, "1500ms"), (0.0005, "0.0005s")],
)
def test_durations_are_written_in_whole_numbers_of_the_largest_unit(seconds, text):
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("512MB", 512 * 10**6),
        ("1GB", 10**9),
        ("1GiB", 1 << 30),
        ("1.5GB", 1_500_000_000),
        ("2TB", 2 * 10**12),
        ("1024KiB", 1 << 20),
        ("1000KB", 10**6),
    ],
)
def test_sizes_are_read(text, count):
    assert units.size(text) == count


@pytest.mark.parametrize("text", ["", "1XB", "1", "GB", "-1GB", "1 GB", "1gb", "1G", "1B", "0x1GB", "1GB\n", "1E3MB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(units.UnitError) as caught:
        units.size(text)
    assert caught.value.args == ("is not a size", "Write it as 512MB or 1GB.")


@pytest.mark.parametrize("text", ["0GB", "999KB", "9999999TB"])
def test_sizes_have_bounds(text):
    with pytest.raises(units.UnitError) as caught:
        units.size(text)
    assert caught.value.args == ("is no usable size", "Write 1MB or more.")


def test_every_size_is_written_as_it_is_read(chance):
    for _ in range(2000):
        text = f"{chance.randint(1000, 9999)}{chance.choice(['K', 'M', 'G', 'T'])}{chance.choice(['B', 'iB'])}"
        count = units.size(text)
        assert units.size(units.bytes_text(count)) == count, text
    odd = units.size("1.000001MB")
    assert units.size(units.bytes_text(odd)) == odd == 1_000_001


@pytest.mark.parametrize(
    "text",
    [
        "localhost",
        "localhost:8080",
        "10.0.0.1",
        "10.0.0.1:443",
        "10.0.0.0/8",
        "fd00::/8",
        "::1",
        "[::1]",
        "[::1]:443",
        "api.openai.com",
        "api.openai.com:443",
        "*.openai.com",
        "*.openai.com:443",
        "xn--mnchen-3ya.de",
        "my_host",
        "*",
    ],
)
def test_networks_are_read(text):
    assert units.network(text) == text


GRAMMAR = "Write localhost, an address, a network such as 10.0.0.0/8, a name or *.name; :port may follow."


@pytest.mark.parametrize(
    ("text", "what", "step"),
    [
        ("", "is not a network", GRAMMAR),
        ("10.0.0.0/40", "is not a network", GRAMMAR),
        ("10.0.0.1/8", "is not a network", "Write 10.0.0.0/8."),
        ("300.1.1.1", "is not a network", GRAMMAR),
        ("1.2.3", "is not a network", GRAMMAR),
        ("http://x", "is not a network", GRAMMAR),
        ("a b", "is not a network", GRAMMAR),
        ("-a", "is not a network", GRAMMAR),
        ("*.", "is not a network", GRAMMAR),
        ("a.*.b", "is not a network", GRAMMAR),
        ("[::1", "is not a network", GRAMMAR),
        ("[::1]443", "is not a network", GRAMMAR),
        ("[localhost]:1", "is not a network", GRAMMAR),
        ("1:2:3", "is not a network", GRAMMAR),
        ("localhost:0", "has no usable port", "A port is a number from 1 to 65535."),
        ("localhost:", "has no usable port", "A port is a number from 1 to 65535."),
        ("localhost:65536", "has no usable port", "A port is a number from 1 to 65535."),
        ("localhost:http", "has no usable port", "A port is a number from 1 to 65535."),
    ],
)
def test_what_is_no_network_is_refused(text, what, step):
    with pytest.raises(units.UnitError) as caught:
        units.network(text)
    assert caught.value.args == (what, step)


@pytest.mark.parametrize(
    "text",
    [
        "localhost:8081",
        "10.0.0.1:1",
        "[::1]:65535",
        "plugins.internal:8081",
        "dns:///plugins.internal:8081",
        "unix:/run/x.sock",
        "unix:///run/x.sock",
        "unix:x.sock",
    ],
)
def test_addresses_are_read(text):
    assert units.address(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":8081",
        "localhost:",
        "localhost:0",
        "::1:80",
        "[x]:1",
        "http://localhost:80",
        "unix:",
        "a b:1",
        "unix://",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(units.UnitError) as caught:
        units.address(text)
    assert caught.value.args == ("is not an address", "Write host:port, dns:///host:port or unix:PATH.")


@pytest.mark.parametrize("text", ["localhost", "10.0.0.7", "[::1]", "dns:///plugin.example.com"])
def test_an_address_without_a_port_is_told_so(text):
    with pytest.raises(units.UnitError) as caught:
        units.address(text)
    assert caught.value.args == ("has no port", "Write host:port, with the port on which the plugin listens.")


def test_references_are_read():
    assert units.reference("plugin:custom_llm") == "custom_llm"


@pytest.mark.parametrize("text", ["", "plugin:", "custom_llm", "Plugin:x", "openai"])
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(units.UnitError) as caught:
        units.reference(text)
    assert caught.value.args == ("names no plugin", 'Write "plugin:NAME", NAME being a key under plugins.')


@pytest.mark.parametrize("text", ["a", "gpt-4o", "llama3.2", "my_agent", "_x", "A" * 64])
def test_names_are_read(text):
    assert units.name(text) == text


@pytest.mark.parametrize("text", ["", "../x", ".hidden", "-x", "a b", "a/b", "a:b", "ä", "A" * 65, "a\n"])
def test_what_is_no_name_is_refused(text):
    with pytest.raises(units.UnitError) as caught:
        units.name(text)
    assert caught.value.args == (
        "is no usable name",
        "Use letters, digits, _, - and ., at most 64, no - or . at its beginning.",
    )
