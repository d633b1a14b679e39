import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hector.host.v1 import index_pb2 as _index_pb2
from hector.host.v1 import run_pb2 as _run_pb2
from hector.host.v1 import search_pb2 as _search_pb2
from hector.host.v1 import supervision_pb2 as _supervision_pb2
from hector.plugin.v1 import llm_pb2 as _llm_pb2
from hector.plugin.v1 import message_pb2 as _message_pb2
from hector.plugin.v1 import reasoning_pb2 as _reasoning_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RunStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_STATUS_UNSPECIFIED: _ClassVar[RunStatus]
    RUN_STATUS_RUNNING: _ClassVar[RunStatus]
    RUN_STATUS_FINISHED: _ClassVar[RunStatus]
    RUN_STATUS_FAILED: _ClassVar[RunStatus]
    RUN_STATUS_CANCELLED: _ClassVar[RunStatus]
    RUN_STATUS_INTERRUPTED: _ClassVar[RunStatus]
RUN_STATUS_UNSPECIFIED: RunStatus
RUN_STATUS_RUNNING: RunStatus
RUN_STATUS_FINISHED: RunStatus
RUN_STATUS_FAILED: RunStatus
RUN_STATUS_CANCELLED: RunStatus
RUN_STATUS_INTERRUPTED: RunStatus

class GetHostRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetHostResponse(_message.Message):
    __slots__ = ("version", "pid", "config_file", "storage_path", "start_time", "addresses")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FILE_FIELD_NUMBER: _ClassVar[int]
    STORAGE_PATH_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    version: str
    pid: int
    config_file: str
    storage_path: str
    start_time: _timestamp_pb2.Timestamp
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[str] = ..., pid: _Optional[int] = ..., config_file: _Optional[str] = ..., storage_path: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class ListAgentsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListAgentsResponse(_message.Message):
    __slots__ = ("agents",)
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    agents: _containers.RepeatedCompositeFieldContainer[Agent]
    def __init__(self, agents: _Optional[_Iterable[_Union[Agent, _Mapping]]] = ...) -> None: ...

class Agent(_message.Message):
    __slots__ = ("id", "name", "description", "llm", "engine", "tools", "all_tools", "document_stores")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LLM_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    ALL_TOOLS_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_STORES_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    description: str
    llm: str
    engine: str
    tools: _containers.RepeatedScalarFieldContainer[str]
    all_tools: bool
    document_stores: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., llm: _Optional[str] = ..., engine: _Optional[str] = ..., tools: _Optional[_Iterable[str]] = ..., all_tools: bool = ..., document_stores: _Optional[_Iterable[str]] = ...) -> None: ...

class CallRequest(_message.Message):
    __slots__ = ("agent", "message", "session_id", "llm", "user", "interactive")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    LLM_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    INTERACTIVE_FIELD_NUMBER: _ClassVar[int]
    agent: str
    message: str
    session_id: str
    llm: str
    user: str
    interactive: bool
    def __init__(self, agent: _Optional[str] = ..., message: _Optional[str] = ..., session_id: _Optional[str] = ..., llm: _Optional[str] = ..., user: _Optional[str] = ..., interactive: bool = ...) -> None: ...

class AnswerQuestionRequest(_message.Message):
    __slots__ = ("run_id", "effect_id", "answer")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    EFFECT_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    effect_id: str
    answer: str
    def __init__(self, run_id: _Optional[str] = ..., effect_id: _Optional[str] = ..., answer: _Optional[str] = ...) -> None: ...

class AnswerQuestionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRunsRequest(_message.Message):
    __slots__ = ("limit", "session_id")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    limit: int
    session_id: str
    def __init__(self, limit: _Optional[int] = ..., session_id: _Optional[str] = ...) -> None: ...

class ListRunsResponse(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[RunSummary]
    def __init__(self, runs: _Optional[_Iterable[_Union[RunSummary, _Mapping]]] = ...) -> None: ...

class RunSummary(_message.Message):
    __slots__ = ("run_id", "session_id", "agent", "llm", "engine", "status", "created", "finished", "iterations", "question", "error", "usage")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    LLM_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    session_id: str
    agent: str
    llm: str
    engine: str
    status: RunStatus
    created: _timestamp_pb2.Timestamp
    finished: _timestamp_pb2.Timestamp
    iterations: int
    question: str
    error: str
    usage: _llm_pb2.TokenUsage
    def __init__(self, run_id: _Optional[str] = ..., session_id: _Optional[str] = ..., agent: _Optional[str] = ..., llm: _Optional[str] = ..., engine: _Optional[str] = ..., status: _Optional[_Union[RunStatus, str]] = ..., created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., iterations: _Optional[int] = ..., question: _Optional[str] = ..., error: _Optional[str] = ..., usage: _Optional[_Union[_llm_pb2.TokenUsage, _Mapping]] = ...) -> None: ...

class GetRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class GetRunResponse(_message.Message):
    __slots__ = ("summary", "messages", "iterations", "effects", "steps", "answer")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    EFFECTS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    summary: RunSummary
    messages: _containers.RepeatedCompositeFieldContainer[_message_pb2.Message]
    iterations: _containers.RepeatedCompositeFieldContainer[RunIteration]
    effects: _containers.RepeatedCompositeFieldContainer[RunEffect]
    steps: _containers.RepeatedCompositeFieldContainer[_run_pb2.Step]
    answer: _message_pb2.Message
    def __init__(self, summary: _Optional[_Union[RunSummary, _Mapping]] = ..., messages: _Optional[_Iterable[_Union[_message_pb2.Message, _Mapping]]] = ..., iterations: _Optional[_Iterable[_Union[RunIteration, _Mapping]]] = ..., effects: _Optional[_Iterable[_Union[RunEffect, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[_run_pb2.Step, _Mapping]]] = ..., answer: _Optional[_Union[_message_pb2.Message, _Mapping]] = ...) -> None: ...

class RunIteration(_message.Message):
    __slots__ = ("number", "thought")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    THOUGHT_FIELD_NUMBER: _ClassVar[int]
    number: int
    thought: str
    def __init__(self, number: _Optional[int] = ..., thought: _Optional[str] = ...) -> None: ...

class RunEffect(_message.Message):
    __slots__ = ("iteration", "request", "created", "finished", "outcome")
    ITERATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    iteration: int
    request: _reasoning_pb2.Effect
    created: _timestamp_pb2.Timestamp
    finished: _timestamp_pb2.Timestamp
    outcome: _reasoning_pb2.Outcome
    def __init__(self, iteration: _Optional[int] = ..., request: _Optional[_Union[_reasoning_pb2.Effect, _Mapping]] = ..., created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[_Union[_reasoning_pb2.Outcome, _Mapping]] = ...) -> None: ...

class ListPluginsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPluginsResponse(_message.Message):
    __slots__ = ("plugins",)
    PLUGINS_FIELD_NUMBER: _ClassVar[int]
    plugins: _containers.RepeatedCompositeFieldContainer[_supervision_pb2.PluginStatus]
    def __init__(self, plugins: _Optional[_Iterable[_Union[_supervision_pb2.PluginStatus, _Mapping]]] = ...) -> None: ...

class WatchPluginsRequest(_message.Message):
    __slots__ = ("refresh",)
    REFRESH_FIELD_NUMBER: _ClassVar[int]
    refresh: _duration_pb2.Duration
    def __init__(self, refresh: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WatchPluginsResponse(_message.Message):
    __slots__ = ("plugins", "removed", "changes")
    PLUGINS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    plugins: _containers.RepeatedCompositeFieldContainer[_supervision_pb2.PluginStatus]
    removed: _containers.RepeatedScalarFieldContainer[str]
    changes: _containers.RepeatedCompositeFieldContainer[_supervision_pb2.PluginChange]
    def __init__(self, plugins: _Optional[_Iterable[_Union[_supervision_pb2.PluginStatus, _Mapping]]] = ..., removed: _Optional[_Iterable[str]] = ..., changes: _Optional[_Iterable[_Union[_supervision_pb2.PluginChange, _Mapping]]] = ...) -> None: ...

class ReloadPluginRequest(_message.Message):
    __slots__ = ("plugin",)
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    plugin: str
    def __init__(self, plugin: _Optional[str] = ...) -> None: ...

class ReloadPluginResponse(_message.Message):
    __slots__ = ("plugin",)
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    plugin: _supervision_pb2.PluginStatus
    def __init__(self, plugin: _Optional[_Union[_supervision_pb2.PluginStatus, _Mapping]] = ...) -> None: ...

class AttachPluginRequest(_message.Message):
    __slots__ = ("plugin", "address")
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    plugin: str
    address: str
    def __init__(self, plugin: _Optional[str] = ..., address: _Optional[str] = ...) -> None: ...

class AttachPluginResponse(_message.Message):
    __slots__ = ("plugin",)
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    plugin: _supervision_pb2.PluginStatus
    def __init__(self, plugin: _Optional[_Union[_supervision_pb2.PluginStatus, _Mapping]] = ...) -> None: ...

class DetachPluginRequest(_message.Message):
    __slots__ = ("plugin",)
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    plugin: str
    def __init__(self, plugin: _Optional[str] = ...) -> None: ...

class DetachPluginResponse(_message.Message):
    __slots__ = ("plugin",)
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    plugin: _supervision_pb2.PluginStatus
    def __init__(self, plugin: _Optional[_Union[_supervision_pb2.PluginStatus, _Mapping]] = ...) -> None: ...

class ExplainPluginRequest(_message.Message):
    __slots__ = ("plugin",)
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    plugin: str
    def __init__(self, plugin: _Optional[str] = ...) -> None: ...

class ExplainPluginResponse(_message.Message):
    __slots__ = ("plugin", "crash")
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    CRASH_FIELD_NUMBER: _ClassVar[int]
    plugin: _supervision_pb2.PluginStatus
    crash: _supervision_pb2.CrashDossier
    def __init__(self, plugin: _Optional[_Union[_supervision_pb2.PluginStatus, _Mapping]] = ..., crash: _Optional[_Union[_supervision_pb2.CrashDossier, _Mapping]] = ...) -> None: ...
