import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hector.plugin.v1 import llm_pb2 as _llm_pb2
from hector.plugin.v1 import message_pb2 as _message_pb2
from hector.plugin.v1 import tool_pb2 as _tool_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FailureKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAILURE_KIND_UNSPECIFIED: _ClassVar[FailureKind]
    FAILURE_KIND_INVALID: _ClassVar[FailureKind]
    FAILURE_KIND_NOT_FOUND: _ClassVar[FailureKind]
    FAILURE_KIND_DENIED: _ClassVar[FailureKind]
    FAILURE_KIND_BUDGET: _ClassVar[FailureKind]
    FAILURE_KIND_CONTEXT_OVERFLOW: _ClassVar[FailureKind]
    FAILURE_KIND_TIMEOUT: _ClassVar[FailureKind]
    FAILURE_KIND_UNAVAILABLE: _ClassVar[FailureKind]
    FAILURE_KIND_OUTCOME_UNKNOWN: _ClassVar[FailureKind]
    FAILURE_KIND_TOOL: _ClassVar[FailureKind]

class Stream(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STREAM_UNSPECIFIED: _ClassVar[Stream]
    STREAM_ANSWER: _ClassVar[Stream]

class RunEnd(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_END_UNSPECIFIED: _ClassVar[RunEnd]
    RUN_END_DONE: _ClassVar[RunEnd]
    RUN_END_BUDGET: _ClassVar[RunEnd]
    RUN_END_CANCELLED: _ClassVar[RunEnd]
FAILURE_KIND_UNSPECIFIED: FailureKind
FAILURE_KIND_INVALID: FailureKind
FAILURE_KIND_NOT_FOUND: FailureKind
FAILURE_KIND_DENIED: FailureKind
FAILURE_KIND_BUDGET: FailureKind
FAILURE_KIND_CONTEXT_OVERFLOW: FailureKind
FAILURE_KIND_TIMEOUT: FailureKind
FAILURE_KIND_UNAVAILABLE: FailureKind
FAILURE_KIND_OUTCOME_UNKNOWN: FailureKind
FAILURE_KIND_TOOL: FailureKind
STREAM_UNSPECIFIED: Stream
STREAM_ANSWER: Stream
RUN_END_UNSPECIFIED: RunEnd
RUN_END_DONE: RunEnd
RUN_END_BUDGET: RunEnd
RUN_END_CANCELLED: RunEnd

class InitializeRequest(_message.Message):
    __slots__ = ("max_iterations", "temperature", "context", "system_prompt", "messages", "tools", "model", "llms", "options")
    class LlmsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _llm_pb2.Model
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_llm_pb2.Model, _Mapping]] = ...) -> None: ...
    MAX_ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_PROMPT_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LLMS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    max_iterations: int
    temperature: float
    context: _struct_pb2.Struct
    system_prompt: str
    messages: _containers.RepeatedCompositeFieldContainer[_message_pb2.Message]
    tools: _containers.RepeatedCompositeFieldContainer[_tool_pb2.Tool]
    model: _llm_pb2.Model
    llms: _containers.MessageMap[str, _llm_pb2.Model]
    options: _struct_pb2.Struct
    def __init__(self, max_iterations: _Optional[int] = ..., temperature: _Optional[float] = ..., context: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., system_prompt: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[_message_pb2.Message, _Mapping]]] = ..., tools: _Optional[_Iterable[_Union[_tool_pb2.Tool, _Mapping]]] = ..., model: _Optional[_Union[_llm_pb2.Model, _Mapping]] = ..., llms: _Optional[_Mapping[str, _llm_pb2.Model]] = ..., options: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class InitializeResponse(_message.Message):
    __slots__ = ("success", "error", "state", "state_version")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    success: bool
    error: str
    state: _struct_pb2.Struct
    state_version: int
    def __init__(self, success: bool = ..., error: _Optional[str] = ..., state: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., state_version: _Optional[int] = ...) -> None: ...

class ProcessIterationRequest(_message.Message):
    __slots__ = ("state", "input", "iteration", "state_version")
    STATE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    ITERATION_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    state: _struct_pb2.Struct
    input: IterationInput
    iteration: int
    state_version: int
    def __init__(self, state: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., input: _Optional[_Union[IterationInput, _Mapping]] = ..., iteration: _Optional[int] = ..., state_version: _Optional[int] = ...) -> None: ...

class IterationInput(_message.Message):
    __slots__ = ("outcomes", "messages", "now", "seed", "left")
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[Outcome]
    messages: _containers.RepeatedCompositeFieldContainer[_message_pb2.Message]
    now: _timestamp_pb2.Timestamp
    seed: int
    left: Budget
    def __init__(self, outcomes: _Optional[_Iterable[_Union[Outcome, _Mapping]]] = ..., messages: _Optional[_Iterable[_Union[_message_pb2.Message, _Mapping]]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seed: _Optional[int] = ..., left: _Optional[_Union[Budget, _Mapping]] = ...) -> None: ...

class Budget(_message.Message):
    __slots__ = ("iterations", "tokens", "deadline")
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    iterations: int
    tokens: int
    deadline: _timestamp_pb2.Timestamp
    def __init__(self, iterations: _Optional[int] = ..., tokens: _Optional[int] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("id", "failure", "message", "usage", "finish_reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    failure: Failure
    message: _message_pb2.Message
    usage: _llm_pb2.TokenUsage
    finish_reason: _llm_pb2.FinishReason
    def __init__(self, id: _Optional[str] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ..., message: _Optional[_Union[_message_pb2.Message, _Mapping]] = ..., usage: _Optional[_Union[_llm_pb2.TokenUsage, _Mapping]] = ..., finish_reason: _Optional[_Union[_llm_pb2.FinishReason, str]] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("kind", "message")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    kind: FailureKind
    message: str
    def __init__(self, kind: _Optional[_Union[FailureKind, str]] = ..., message: _Optional[str] = ...) -> None: ...

class ProcessIterationResponse(_message.Message):
    __slots__ = ("success", "error", "result", "done", "state", "state_version")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    success: bool
    error: str
    result: IterationResult
    done: bool
    state: _struct_pb2.Struct
    state_version: int
    def __init__(self, success: bool = ..., error: _Optional[str] = ..., result: _Optional[_Union[IterationResult, _Mapping]] = ..., done: bool = ..., state: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., state_version: _Optional[int] = ...) -> None: ...

class IterationResult(_message.Message):
    __slots__ = ("thought", "effects", "done", "state")
    THOUGHT_FIELD_NUMBER: _ClassVar[int]
    EFFECTS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    thought: str
    effects: _containers.RepeatedCompositeFieldContainer[Effect]
    done: bool
    state: _struct_pb2.Struct
    def __init__(self, thought: _Optional[str] = ..., effects: _Optional[_Iterable[_Union[Effect, _Mapping]]] = ..., done: bool = ..., state: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class Effect(_message.Message):
    __slots__ = ("id", "generate", "tool_call", "question")
    ID_FIELD_NUMBER: _ClassVar[int]
    GENERATE_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    id: str
    generate: Generate
    tool_call: _message_pb2.ToolCall
    question: Question
    def __init__(self, id: _Optional[str] = ..., generate: _Optional[_Union[Generate, _Mapping]] = ..., tool_call: _Optional[_Union[_message_pb2.ToolCall, _Mapping]] = ..., question: _Optional[_Union[Question, _Mapping]] = ...) -> None: ...

class Generate(_message.Message):
    __slots__ = ("llm", "input", "stream", "answer_marker")
    LLM_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    ANSWER_MARKER_FIELD_NUMBER: _ClassVar[int]
    llm: str
    input: _llm_pb2.ModelInput
    stream: Stream
    answer_marker: str
    def __init__(self, llm: _Optional[str] = ..., input: _Optional[_Union[_llm_pb2.ModelInput, _Mapping]] = ..., stream: _Optional[_Union[Stream, str]] = ..., answer_marker: _Optional[str] = ...) -> None: ...

class Question(_message.Message):
    __slots__ = ("text", "answer_schema")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    text: str
    answer_schema: str
    def __init__(self, text: _Optional[str] = ..., answer_schema: _Optional[str] = ...) -> None: ...

class FinalizeRequest(_message.Message):
    __slots__ = ("state", "state_version", "end")
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    state: _struct_pb2.Struct
    state_version: int
    end: RunEnd
    def __init__(self, state: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., state_version: _Optional[int] = ..., end: _Optional[_Union[RunEnd, str]] = ...) -> None: ...

class FinalizeResponse(_message.Message):
    __slots__ = ("success", "error", "result", "parts")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    success: bool
    error: str
    result: str
    parts: _containers.RepeatedCompositeFieldContainer[_message_pb2.Part]
    def __init__(self, success: bool = ..., error: _Optional[str] = ..., result: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[_message_pb2.Part, _Mapping]]] = ...) -> None: ...
