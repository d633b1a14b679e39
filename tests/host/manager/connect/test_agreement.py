"""Group, manifest and process."""

import pytest

from hector_host.config import Kind
from hector_host.manager.connect.agreement import confirmed, declared
from hector_host.manager.failure import Failure

LLM, EMBEDDER, TOOL = Kind.LLM, Kind.EMBEDDER, Kind.TOOL


def services(*kinds):
    return frozenset(kind.service for kind in kinds) | {"hector.plugin.v1.Plugin", "grpc.health.v1.Health"}


@pytest.mark.parametrize(
    ("group", "manifest", "kind"),
    [
        (LLM, (), LLM),
        (LLM, (LLM,), LLM),
        (LLM, (TOOL, LLM), LLM),
        (None, (TOOL,), TOOL),
        (None, (TOOL, LLM), None),
        (None, (), None),
    ],
)
def test_the_kind_before_anything_runs(group, manifest, kind):
    assert declared(group, manifest) is kind


def test_group_and_manifest_that_disagree():
    with pytest.raises(Failure) as caught:
        declared(LLM, (EMBEDDER, TOOL))
    assert caught.value.what == (
        "the configuration lists it as llm_provider, its manifest says embedder_provider, tool_provider"
    )
    assert caught.value.step == "List it under plugins.embedder_providers, or name another plugin."


@pytest.mark.parametrize(
    ("group", "manifest", "served", "kind"),
    [
        (LLM, (), (LLM, TOOL), LLM),
        (None, (), (TOOL,), TOOL),
        (None, (), (LLM, TOOL), None),
        (None, (TOOL,), (LLM, TOOL), TOOL),
        (None, (TOOL, LLM), (LLM, TOOL), None),
        (LLM, (LLM, TOOL), (LLM,), LLM),
    ],
)
def test_the_kind_of_a_process_that_says_what_it_serves(group, manifest, served, kind):
    assert confirmed(group, manifest, services(*served)) == (kind, services(*served))


def test_a_process_that_says_nothing_is_taken_at_its_word_elsewhere():
    assert confirmed(LLM, (), None) == (LLM, {LLM.service})
    assert confirmed(None, (TOOL, LLM), None) == (None, {TOOL.service, LLM.service})


@pytest.mark.parametrize(
    ("group", "manifest", "served", "what"),
    [
        (LLM, (), (TOOL,), "the configuration lists it as llm_provider, its process serves tool_provider"),
        (None, (LLM,), (TOOL,), "its manifest says llm_provider, its process serves tool_provider"),
        (LLM, (), (), "the configuration lists it as llm_provider, its process serves no kind of plugin"),
        (None, (), (), "its process serves no kind of plugin"),
    ],
)
def test_a_process_that_is_something_else(group, manifest, served, what):
    with pytest.raises(Failure) as caught:
        confirmed(group, manifest, services(*served))
    assert caught.value.what == what
    assert caught.value.reason == "kind"


def test_foreign_services_are_named():
    with pytest.raises(Failure) as caught:
        confirmed(None, (), frozenset({"shop.v1.Carts", "grpc.health.v1.Health"}))
    assert caught.value.what == "its process serves no kind of plugin but shop.v1.Carts"
