"""Which options a plugin's status names. What real plugins send is in test_start_errors."""

import pytest

from hector_host.manager.connect.rejection import path, violations


class Answer:
    def __init__(self, *metadata):
        self.metadata = metadata

    def trailing_metadata(self):
        return self.metadata


@pytest.mark.parametrize(
    ("field", "parts"),
    [
        ("replies", ("replies",)),
        ("replies[0].text", ("replies", 0, "text")),
        ("replies.0.text", ("replies", 0, "text")),
        ("config.replies", ("replies",)),
        ("config", ("config",)),
        ("", ()),
    ],
)
def test_the_path_of_a_field(field, parts):
    assert path(field) == parts


@pytest.mark.parametrize(
    "answer",
    [
        Answer(),
        Answer(("grpc-status-details-bin", b"\xff\xff garbage")),
        Answer(("other-bin", b"")),
        Answer(("grpc-status-details-bin", b"")),
    ],
)
def test_a_status_without_details_names_none(answer):
    assert violations(answer) == ()


def test_metadata_may_be_absent():
    answer = Answer()
    answer.metadata = None
    assert violations(answer) == ()
