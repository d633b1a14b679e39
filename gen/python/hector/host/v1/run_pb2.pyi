import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hector.plugin.v1 import llm_pb2 as _llm_pb2
from hector.plugin.v1 import message_pb2 as _message_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RunEvent(_message.Message):
    __slots__ = ("run_id", "sequence", "time", "run_started", "thought", "text_delta", "generation_finished", "tool_started", "tool_finished", "question", "run_finished", "run_failed")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    RUN_STARTED_FIELD_NUMBER: _ClassVar[int]
    THOUGHT_FIELD_NUMBER: _ClassVar[int]
    TEXT_DELTA_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FINISHED_FIELD_NUMBER: _ClassVar[int]
    TOOL_STARTED_FIELD_NUMBER: _ClassVar[int]
    TOOL_FINISHED_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    RUN_FINISHED_FIELD_NUMBER: _ClassVar[int]
    RUN_FAILED_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    sequence: int
    time: _timestamp_pb2.Timestamp
    run_started: RunStarted
    thought: Thought
    text_delta: TextDelta
    generation_finished: GenerationFinished
    tool_started: ToolStarted
    tool_finished: ToolFinished
    question: QuestionAsked
    run_finished: RunFinished
    run_failed: RunFailed
    def __init__(self, run_id: _Optional[str] = ..., sequence: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., run_started: _Optional[_Union[RunStarted, _Mapping]] = ..., thought: _Optional[_Union[Thought, _Mapping]] = ..., text_delta: _Optional[_Union[TextDelta, _Mapping]] = ..., generation_finished: _Optional[_Union[GenerationFinished, _Mapping]] = ..., tool_started: _Optional[_Union[ToolStarted, _Mapping]] = ..., tool_finished: _Optional[_Union[ToolFinished, _Mapping]] = ..., question: _Optional[_Union[QuestionAsked, _Mapping]] = ..., run_finished: _Optional[_Union[RunFinished, _Mapping]] = ..., run_failed: _Optional[_Union[RunFailed, _Mapping]] = ...) -> None: ...

class RunStarted(_message.Message):
    __slots__ = ("session_id", "agent", "engine", "llm")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    LLM_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    agent: str
    engine: str
    llm: str
    def __init__(self, session_id: _Optional[str] = ..., agent: _Optional[str] = ..., engine: _Optional[str] = ..., llm: _Optional[str] = ...) -> None: ...

class Thought(_message.Message):
    __slots__ = ("iteration", "text")
    ITERATION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    iteration: int
    text: str
    def __init__(self, iteration: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class TextDelta(_message.Message):
    __slots__ = ("effect_id", "text", "reasoning", "provisional")
    EFFECT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REASONING_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_FIELD_NUMBER: _ClassVar[int]
    effect_id: str
    text: str
    reasoning: str
    provisional: bool
    def __init__(self, effect_id: _Optional[str] = ..., text: _Optional[str] = ..., reasoning: _Optional[str] = ..., provisional: bool = ...) -> None: ...

class GenerationFinished(_message.Message):
    __slots__ = ("effect_id", "model", "usage", "finish_reason", "message_id", "error")
    EFFECT_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    effect_id: str
    model: str
    usage: _llm_pb2.TokenUsage
    finish_reason: _llm_pb2.FinishReason
    message_id: str
    error: str
    def __init__(self, effect_id: _Optional[str] = ..., model: _Optional[str] = ..., usage: _Optional[_Union[_llm_pb2.TokenUsage, _Mapping]] = ..., finish_reason: _Optional[_Union[_llm_pb2.FinishReason, str]] = ..., message_id: _Optional[str] = ..., error: _Optional[str] = ...) -> None: ...

class ToolStarted(_message.Message):
    __slots__ = ("effect_id", "tool", "arguments")
    EFFECT_ID_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    effect_id: str
    tool: str
    arguments: str
    def __init__(self, effect_id: _Optional[str] = ..., tool: _Optional[str] = ..., arguments: _Optional[str] = ...) -> None: ...

class ToolFinished(_message.Message):
    __slots__ = ("effect_id", "tool", "failed", "result", "sources")
    EFFECT_ID_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    effect_id: str
    tool: str
    failed: bool
    result: str
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    def __init__(self, effect_id: _Optional[str] = ..., tool: _Optional[str] = ..., failed: bool = ..., result: _Optional[str] = ..., sources: _Optional[_Iterable[_Union[Source, _Mapping]]] = ...) -> None: ...

class QuestionAsked(_message.Message):
    __slots__ = ("effect_id", "text", "answer_schema")
    EFFECT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    effect_id: str
    text: str
    answer_schema: str
    def __init__(self, effect_id: _Optional[str] = ..., text: _Optional[str] = ..., answer_schema: _Optional[str] = ...) -> None: ...

class RunFinished(_message.Message):
    __slots__ = ("answer", "parts", "usage", "sources", "steps")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    answer: str
    parts: _containers.RepeatedCompositeFieldContainer[_message_pb2.Part]
    usage: _llm_pb2.TokenUsage
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    def __init__(self, answer: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[_message_pb2.Part, _Mapping]]] = ..., usage: _Optional[_Union[_llm_pb2.TokenUsage, _Mapping]] = ..., sources: _Optional[_Iterable[_Union[Source, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ...) -> None: ...

class RunFailed(_message.Message):
    __slots__ = ("error", "kind", "usage", "steps")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    error: str
    kind: str
    usage: _llm_pb2.TokenUsage
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    def __init__(self, error: _Optional[str] = ..., kind: _Optional[str] = ..., usage: _Optional[_Union[_llm_pb2.TokenUsage, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("location", "text", "score", "store")
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    location: str
    text: str
    score: float
    store: str
    def __init__(self, location: _Optional[str] = ..., text: _Optional[str] = ..., score: _Optional[float] = ..., store: _Optional[str] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("kind", "provider", "plugin", "pid", "seconds", "ok")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    OK_FIELD_NUMBER: _ClassVar[int]
    kind: str
    provider: str
    plugin: str
    pid: int
    seconds: float
    ok: bool
    def __init__(self, kind: _Optional[str] = ..., provider: _Optional[str] = ..., plugin: _Optional[str] = ..., pid: _Optional[int] = ..., seconds: _Optional[float] = ..., ok: bool = ...) -> None: ...
