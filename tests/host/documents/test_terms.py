"""Words are cut alike in passages and questions, and nothing that a question says is an operator."""

from __future__ import annotations

import pytest

from hector_host.documents.terms import indexed, parts, terms


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("When do pears ripen?", ['"when"', '"do"', '"pears"', '"ripen?"']),
        ("pears Pears PEARS", ['"pears"']),
        ("--max-pods max_pods", ['"--max-pods"', '"max_pods"']),
        ("CreateSnapshot", ['"createsnapshot"', '"create"', '"snapshot"']),
        ("parseHTTPHeader2", ['"parsehttpheader2"', '"parse"', '"http"', '"header"', '"2"']),
        ('"pears" OR NEAR(a) text:b* ^c', ['"pears"', '"or"', '"near(a)"', '"text:b*"', '"^c"']),
        ("pears\0plums", ['"pears plums"']),
        ("検索機能", ['"検索"', '"索機"', '"機能"']),
        ("梨 pears梨が", ['"梨"', '"pears"', '"梨が"']),
        ("?! -- …", []),
        ("", []),
    ],
)
def test_the_terms_of_a_question(query, expected):
    assert terms(query) == expected


def test_only_what_has_no_spaces_is_cut():
    assert indexed("Pears, max_pods") == "Pears, max_pods"
    assert indexed("梨は果物 and ไทย").split() == ["梨は", "は果", "果物", "and", "ไท", "ทย"]


def test_the_parts_of_names_in_camel_case():
    assert parts("CreateSnapshot calls toHTTP2 in Hector, not in max_pods") == "Create Snapshot to HTTP 2"
