"""Changes of real files are noticed, once each, wherever and however they are made."""

import asyncio
import os
import shutil
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from hector_host import config
from hector_host.manager.watching import watch as module
from hector_host.manager.watching.observation import Changed
from hector_host.manager.watching.watch import Alarm, Watch

MANIFEST = "plugin: {name: %s, version: '1', type: llm_provider, command: [python]}\n"
TEXT = "plugins: {discovery: {enabled: true}, p: {path: p}, run: {path: run}}\n"
DISCOVERED = Changed(discovery=True)


def changed(*plugins):
    return Changed(plugins=frozenset(plugins))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hector.yaml").write_text(TEXT)
    (tmp_path / "p").mkdir()
    (tmp_path / "p/plugin.yaml").write_text(MANIFEST % "p")
    (tmp_path / "p/main.py").write_text("one")
    (tmp_path / "run").write_text("one")
    return tmp_path


@pytest.fixture
def watching(folder):
    """A watch that is never woken by the clock, unless a period is given."""

    @asynccontextmanager
    async def enter(*, everything=True, period=3600.0, reports=None):
        loaded = config.load()
        report = pytest.fail if reports is None else reports.append
        async with asyncio.timeout(30), Watch(lambda: loaded, report, everything=everything, period=period) as watch:
            yield watch

    return enter


async def nothing_more(watch, folder):
    """No other change is told before one that is made now."""
    (folder / ".env").write_text(os.urandom(8).hex())
    assert await watch.changed() == Changed(config=True)


async def test_the_file_written_in_place_is_noticed(folder, watching):
    async with watching() as watch:
        (folder / "hector.yaml").write_text(TEXT + "agents:\n")
        assert await watch.changed() == Changed(config=True)
        await nothing_more(watch, folder)


async def test_the_file_replaced_as_editors_do_is_noticed_each_time(folder, watching):
    async with watching() as watch:
        for number in range(3):
            (folder / "hector.yaml").rename(folder / "hector.yaml~")
            (folder / "hector.yaml.new").write_text(f"{TEXT}# {number}")
            (folder / "hector.yaml.new").rename(folder / "hector.yaml")
            assert await watch.changed() == Changed(config=True)
        await nothing_more(watch, folder)


async def test_a_link_that_is_moved_to_another_file_is_noticed(folder, watching):
    for version in ("v1", "v2"):
        (folder / version).mkdir()
        (folder / version / "hector.yaml").write_text(f"{TEXT}# {version}")
    (folder / "hector.yaml").unlink()
    (folder / "now").symlink_to("v1")
    (folder / "hector.yaml").symlink_to("now/hector.yaml")
    async with watching() as watch:
        (folder / "next").symlink_to("v2")
        (folder / "next").rename(folder / "now")
        assert await watch.changed() == Changed(config=True)


async def test_touching_is_no_change(folder, watching):
    async with watching() as watch:
        (folder / "hector.yaml").write_text(TEXT)
        os.utime(folder / "run")
        shutil.copy(folder / "p/main.py", folder / "p/copy")
        (folder / "p/copy").rename(folder / "p/main.py")
        await nothing_more(watch, folder)


async def test_changed_files_of_plugins_are_noticed(folder, watching):
    async with watching() as watch:
        (folder / "p/main.py").write_text("two")
        assert await watch.changed() == changed("p")
        (folder / "p/inner").mkdir()
        (folder / "p/inner/new.py").write_text("")
        assert await watch.changed() == changed("p")
        (folder / "p/inner/new.py").write_text("x = 1")  # in a folder that was not there at the beginning
        assert await watch.changed() == changed("p")
        (folder / "run").unlink()
        (folder / "run").write_text("two")
        assert await watch.changed() == changed("run")
        await nothing_more(watch, folder)


async def test_a_folder_that_takes_the_place_of_another_is_watched(folder, watching):
    async with watching() as watch:
        shutil.copytree(folder / "p", folder / "p.new")
        (folder / "p.new/main.py").write_text("two")
        (folder / "p").rename(folder / "p.old")
        (folder / "p.new").rename(folder / "p")
        assert await watch.changed() == changed("p")
        (folder / "p.old/main.py").write_text("nobody's")
        (folder / "p/main.py").write_text("three")
        assert await watch.changed() == changed("p")
        await nothing_more(watch, folder)


async def test_a_file_that_is_being_copied_is_told_when_it_is_whole(folder, watching):
    async def copy():
        with (folder / "run").open("wb", buffering=0) as file:
            for _ in range(20):
                file.write(b"x" * 1000)
                await asyncio.sleep(0.05)  # slower than a disk, faster than what counts as rest
        return (folder / "run").stat().st_size

    async with watching() as watch, asyncio.TaskGroup() as group:
        copying = group.create_task(copy())
        assert await watch.changed() == changed("run")
        assert copying.done()
        assert copying.result() == 20_000


async def test_a_plugin_that_is_dropped_in_and_taken_out_is_noticed(folder, watching):
    async with watching(everything=False) as watch:
        (folder / "plugins").mkdir()  # one of the default folders, which may be missing
        assert await watch.changed() == DISCOVERED
        shutil.copytree(folder / "p", folder / "plugins/.new")
        (folder / "plugins/.new").rename(folder / "plugins/new")
        assert await watch.changed() == DISCOVERED
        shutil.rmtree(folder / "plugins/new")
        assert await watch.changed() == DISCOVERED


async def test_a_plugin_that_is_copied_in_slowly_and_a_chmod_are_noticed(folder, watching):
    (folder / "plugins/new").mkdir(parents=True)
    async with watching(everything=False) as watch:
        (folder / "plugins/new/plugin.yaml").write_text(MANIFEST % "new")
        assert await watch.changed() == DISCOVERED
        (folder / "plugins/new/plugin.yaml").chmod(0o666)
        assert await watch.changed() == DISCOVERED
        (folder / "plugins").chmod(0o777)
        assert await watch.changed() == DISCOVERED


async def test_without_notifications_it_looks_from_time_to_time(folder, watching, monkeypatch):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("watchfiles._rust_notify.RustNotify", refuse)
    reports = []
    async with watching(period=0.05, reports=reports) as watch:
        (folder / "p/main.py").write_text("two")
        assert await watch.changed() == changed("p")
        (folder / "p/inner").mkdir()
        (folder / "p/inner/new.py").write_text("")
        assert await watch.changed() == changed("p")
    assert reports == [
        (
            "watch: the system gives no notifications ([Errno 28] No space left on device): looking every 5 s instead\n"
            "  Raise fs.inotify.max_user_watches and fs.inotify.max_user_instances."
        )
    ]


async def test_what_no_notification_told_is_found_at_the_next_look(folder, watching, monkeypatch):
    monkeypatch.setattr(module.Alarm, "arm", lambda self, folders: False)
    async with watching(period=0.05) as watch:
        (folder / "p/main.py").write_text("two")
        assert await watch.changed() == changed("p")


async def test_a_folder_that_goes_away_while_it_is_armed_is_tried_again(folder, monkeypatch):
    class Gone:
        def __init__(self, *_, **__):
            raise FileNotFoundError(2, "No such file or directory")

    alarm = Alarm(pytest.fail)
    with monkeypatch.context() as patch:
        patch.setattr("watchfiles._rust_notify.RustNotify", Gone)
        assert alarm.arm({folder})
    assert alarm.arm({folder})
    assert not alarm.arm({folder})
    alarm.close()


def notifications():
    """How many queues of the system's notifications are open."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found += str(descriptor.readlink()) == "anon_inode:inotify"
    return found


async def test_who_waits_can_be_cancelled_and_nothing_is_left(folder, watching, until):
    async with watching() as watch:
        waiting = asyncio.create_task(watch.changed())
        await asyncio.sleep(0)
        assert notifications() == 1
        waiting.cancel()
        await asyncio.wait((waiting,))
        assert waiting.cancelled()
    await until(lambda: notifications() == 0)
