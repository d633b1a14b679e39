"""The question to the hub, answered by a server of this machine or by nobody."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest
from huggingface_hub import constants

from hector_sdk import Status
from hector_sentence_transformers_embedder.hub import Commit, commit

NEWEST, OLDER = "a" * 40, "b" * 40


class Hub(BaseHTTPRequestHandler):
    """Knows org/mini and its revision v1."""

    answers = {"/api/models/org/mini": NEWEST, "/api/models/org/mini/revision/v1": OLDER}  # noqa: RUF012 - read only

    def do_GET(self) -> None:
        digest = self.answers.get(self.path)
        body = json.dumps({"id": "org/mini", "sha": digest} if digest else {"error": "Repository not found"}).encode()
        self.send_response(200 if digest else 404)
        if not digest:
            self.send_header("X-Error-Code", "RevisionNotFound" if "revision" in self.path else "RepoNotFound")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def _hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)  # the port is closed again
    return address


@pytest.fixture
def cached(tmp_path: Path) -> Callable[[str], None]:
    def cache(digest: str) -> None:
        folder = tmp_path / "models--org--mini"
        (folder / "snapshots" / digest).mkdir(parents=True)
        (folder / "snapshots" / digest / "modules.json").write_text("[]")
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(digest)

    return cache


def refusal(model: str, revision: str = "") -> tuple[grpc.StatusCode, str]:
    with pytest.raises(Status) as caught:
        commit(model, revision)
    return caught.value.code, str(caught.value)


@pytest.mark.usefixtures("_hub")
def test_the_hub_names_the_commit(cached):
    cached(OLDER)
    assert commit("org/mini", "") == Commit(NEWEST, cached=False)
    assert commit("org/mini", "v1") == Commit(OLDER, cached=False)


@pytest.mark.usefixtures("_hub")
def test_the_hub_has_no_such_model():
    words = "or none for everybody (a private one needs HF_TOKEN)"
    assert refusal("org/other") == (
        grpc.StatusCode.FAILED_PRECONDITION,
        f'the hub has no model "org/other", {words}',
    )
    assert refusal("org/mini", "v9") == (
        grpc.StatusCode.FAILED_PRECONDITION,
        f'the hub has no model "org/mini" with revision "v9", {words}',
    )


def test_without_the_hub_the_cache_does(nobody, cached, caplog):
    cached(OLDER)
    assert commit("org/mini", "") == Commit(OLDER, cached=True)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("hector")] == [
        f"{nobody} does not answer ([Errno 111] Connection refused): taking org/mini@{OLDER} from the cache"
    ]


def test_neither_hub_nor_cache(nobody, tmp_path):
    assert refusal("org/mini") == (
        grpc.StatusCode.FAILED_PRECONDITION,
        f'no model "org/mini": it is not in {tmp_path}, and {nobody} does not answer: [Errno 111] Connection refused',
    )


def test_offline_by_the_environment(cached, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    cached(OLDER)
    assert commit("org/mini", "") == Commit(OLDER, cached=True)
