"""The JSON Schema of the file, for editors: every form that loading accepts, every field with what it is for.

A number, a truth value or a text of a certain form may be written `${NAME}` too, since what it will be is known only
when the file is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from hector_host.config.agents import AgentConfig
from hector_host.config.descriptions import descriptions
from hector_host.config.host import Discovery, Server, Storage
from hector_host.config.kinds import Kind
from hector_host.config.plugins import SOURCES, PluginConfig
from hector_host.config.provided import DatabaseConfig, EmbedderConfig, LLMConfig, ToolConfig
from hector_host.config.stores import DocumentStoreConfig
from hector_host.config.units import NAME
from hector_host.config.validation import fields, inner

if TYPE_CHECKING:
    from hector_host.config.entry import Section

Schema = dict[str, Any]

_ENTRIES: dict[str, type[Section]] = {
    "llms": LLMConfig,
    "embedders": EmbedderConfig,
    "databases": DatabaseConfig,
    "tools": ToolConfig,
    "document_stores": DocumentStoreConfig,
    "agents": AgentConfig,
}
_LISTED: list[type[Section]] = [PluginConfig, ToolConfig, DocumentStoreConfig]
_FIXED: dict[str, type[Section]] = {"storage": Storage, "server": Server}

_PURPOSES = {
    "version": "The version of this format. There is one.",
    "plugins": "The processes that provide everything: in the group of their kind, or directly here.",
    "llms": "Language models, by the names that agents use.",
    "embedders": "What turns texts into vectors.",
    "databases": "Where vectors are kept.",
    "tools": "What agents may use.",
    "document_stores": "Folders whose documents agents can search.",
    "agents": "The agents, by the names that commands use.",
    "storage": "Where this host keeps what it must not lose.",
    "server": "Where `hector serve` listens.",
}

_VARIABLE: Schema = {
    "type": "string",
    "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}",
    "description": "A variable of the environment: ${NAME} or ${NAME:-default}.",
}
_VARIABLE_REF: Schema = {"$ref": "#/$defs/Variable"}


def schema() -> Schema:
    """The schema, JSON Schema draft 2020-12."""
    models: list[type[Section]] = [PluginConfig, Discovery, *_ENTRIES.values(), *_FIXED.values()]
    _, generated = models_json_schema([(model, "validation") for model in models])
    definitions: Schema = generated["$defs"]
    for model in _all(models):
        definitions[model.__name__] = _polished(definitions[model.__name__], model)
    plugin = definitions["PluginConfig"]
    plugin["oneOf"] = [{"required": [source]} for source in SOURCES]
    for listed in _LISTED:
        definitions[f"Named{listed.__name__}"] = _with_name(definitions[listed.__name__])
    properties = {
        "version": {"enum": ["1", 1]},
        "plugins": _plugins(),
        **{name: _entries(model) for name, model in _ENTRIES.items()},
        **{name: _optional(_ref(model)) for name, model in _FIXED.items()},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Hector configuration",
        "type": "object",
        "properties": {name: {"description": _PURPOSES[name], **form} for name, form in properties.items()},
        "additionalProperties": False,
        "$defs": {"Variable": _VARIABLE, "PluginGroup": _entries(PluginConfig), **definitions},
    }


def _all(models: list[type[Section]]) -> list[type[Section]]:
    """The models, and those of the mappings inside them."""
    below = [inner(field) for model in models for _, field in fields(model).values()]
    nested = [model for model in below if model is not None]
    return [*models, *_all(nested)] if nested else models


def _ref(model: type[Section], prefix: str = "") -> Schema:
    return {"$ref": f"#/$defs/{prefix}{model.__name__}"}


def _optional(form: Schema) -> Schema:
    """A section that may be there without anything below it."""
    return {"anyOf": [form, {"type": "null"}]}


def _mapping(model: type[Section]) -> Schema:
    return {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": _ref(model)}


def _entries(model: type[Section]) -> Schema:
    forms = [_mapping(model), {"type": "null"}]
    if model in _LISTED:
        forms.append({"type": "array", "items": _ref(model, "Named")})
    return {"anyOf": forms}


def _plugins() -> Schema:
    discovery = _optional(_ref(Discovery))
    groups = {kind.group: {"$ref": "#/$defs/PluginGroup"} for kind in Kind}
    by_name = {
        "type": "object",
        "propertyNames": {"pattern": NAME},
        "properties": {"discovery": discovery, "plugin_discovery": discovery, **groups},
        "additionalProperties": _ref(PluginConfig),
    }
    return {"anyOf": [by_name, {"type": "null"}, {"type": "array", "items": _ref(PluginConfig, "Named")}]}


def _with_name(form: Schema) -> Schema:
    """The entry as it stands in a list."""
    name = {"type": "string", "pattern": NAME, "description": "Its name."}
    return {**form, "properties": {"name": name, **form["properties"]}, "required": ["name", *form.get("required", [])]}


def _polished(form: Schema, model: type[Section]) -> Schema:
    """What pydantic says of a model, with descriptions and the rules that all fields share."""
    texts = descriptions(model)
    properties = {}
    for key, (name, field) in fields(model).items():
        given = {word: part for word, part in form["properties"][key].items() if word != "title"}
        if given.get("default", ...) is None:
            del given["default"]
        accepted = _accepted(given)
        if inner(field) or given.get("type") == "object":
            accepted = _optional(accepted)
        if key == "tls":
            accepted["anyOf"].append({"const": True})
        properties[key] = {**accepted, "description": texts[name]}
    return {**form, "title": model.__name__.removesuffix("Config"), "properties": properties}


def _accepted(form: Schema) -> Schema:
    """The form less `null`, since a key has a value, and with variables wherever not any text will do."""
    if "anyOf" in form:
        kept = [part for part in form["anyOf"] if part != {"type": "null"}]
        rest = {word: part for word, part in form.items() if word != "anyOf"}
        return (
            {**rest, **_accepted(kept[0])} if len(kept) == 1 else {**rest, "anyOf": [_accepted(part) for part in kept]}
        )
    if form.get("type") == "array":
        return {**form, "items": _accepted(form["items"])}
    narrow = form.get("type") in {"integer", "number", "boolean"} or form.keys() & {"enum", "const", "pattern"}
    if not narrow:
        return form
    outside: Schema = {word: form[word] for word in ("default", "description", "examples") if word in form}
    exact = {word: part for word, part in form.items() if word not in outside}
    return {**outside, "anyOf": [exact, _VARIABLE_REF]}
