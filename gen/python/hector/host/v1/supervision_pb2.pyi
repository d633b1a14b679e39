import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PluginState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLUGIN_STATE_UNSPECIFIED: _ClassVar[PluginState]
    PLUGIN_STATE_DISCOVERED: _ClassVar[PluginState]
    PLUGIN_STATE_STARTING: _ClassVar[PluginState]
    PLUGIN_STATE_READY: _ClassVar[PluginState]
    PLUGIN_STATE_DEGRADED: _ClassVar[PluginState]
    PLUGIN_STATE_DRAINING: _ClassVar[PluginState]
    PLUGIN_STATE_BACKOFF: _ClassVar[PluginState]
    PLUGIN_STATE_FAILED: _ClassVar[PluginState]
    PLUGIN_STATE_STOPPED: _ClassVar[PluginState]
PLUGIN_STATE_UNSPECIFIED: PluginState
PLUGIN_STATE_DISCOVERED: PluginState
PLUGIN_STATE_STARTING: PluginState
PLUGIN_STATE_READY: PluginState
PLUGIN_STATE_DEGRADED: PluginState
PLUGIN_STATE_DRAINING: PluginState
PLUGIN_STATE_BACKOFF: PluginState
PLUGIN_STATE_FAILED: PluginState
PLUGIN_STATE_STOPPED: PluginState

class PluginStatus(_message.Message):
    __slots__ = ("name", "kind", "state", "reason", "since", "version", "source", "in_flight", "queued", "calls", "failures", "restarts", "next_attempt", "replicas", "resources", "attached", "data_dir", "exclusive")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    ATTACHED_FIELD_NUMBER: _ClassVar[int]
    DATA_DIR_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    state: PluginState
    reason: str
    since: _timestamp_pb2.Timestamp
    version: str
    source: str
    in_flight: int
    queued: int
    calls: int
    failures: int
    restarts: int
    next_attempt: _timestamp_pb2.Timestamp
    replicas: _containers.RepeatedCompositeFieldContainer[PluginReplica]
    resources: PluginResources
    attached: str
    data_dir: str
    exclusive: bool
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., state: _Optional[_Union[PluginState, str]] = ..., reason: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[str] = ..., source: _Optional[str] = ..., in_flight: _Optional[int] = ..., queued: _Optional[int] = ..., calls: _Optional[int] = ..., failures: _Optional[int] = ..., restarts: _Optional[int] = ..., next_attempt: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., replicas: _Optional[_Iterable[_Union[PluginReplica, _Mapping]]] = ..., resources: _Optional[_Union[PluginResources, _Mapping]] = ..., attached: _Optional[str] = ..., data_dir: _Optional[str] = ..., exclusive: bool = ...) -> None: ...

class PluginReplica(_message.Message):
    __slots__ = ("number", "state", "reason", "since", "pid", "address", "in_flight", "restarts", "next_attempt", "resources")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    number: int
    state: PluginState
    reason: str
    since: _timestamp_pb2.Timestamp
    pid: int
    address: str
    in_flight: int
    restarts: int
    next_attempt: _timestamp_pb2.Timestamp
    resources: PluginResources
    def __init__(self, number: _Optional[int] = ..., state: _Optional[_Union[PluginState, str]] = ..., reason: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pid: _Optional[int] = ..., address: _Optional[str] = ..., in_flight: _Optional[int] = ..., restarts: _Optional[int] = ..., next_attempt: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resources: _Optional[_Union[PluginResources, _Mapping]] = ...) -> None: ...

class PluginResources(_message.Message):
    __slots__ = ("memory", "cpu_seconds", "processes", "files", "threads")
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    CPU_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PROCESSES_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    memory: int
    cpu_seconds: float
    processes: int
    files: int
    threads: int
    def __init__(self, memory: _Optional[int] = ..., cpu_seconds: _Optional[float] = ..., processes: _Optional[int] = ..., files: _Optional[int] = ..., threads: _Optional[int] = ...) -> None: ...

class PluginChange(_message.Message):
    __slots__ = ("plugin", "replica", "old_state", "new_state", "reason", "time")
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    OLD_STATE_FIELD_NUMBER: _ClassVar[int]
    NEW_STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    plugin: str
    replica: int
    old_state: PluginState
    new_state: PluginState
    reason: str
    time: _timestamp_pb2.Timestamp
    def __init__(self, plugin: _Optional[str] = ..., replica: _Optional[int] = ..., old_state: _Optional[_Union[PluginState, str]] = ..., new_state: _Optional[_Union[PluginState, str]] = ..., reason: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CrashDossier(_message.Message):
    __slots__ = ("plugin", "replica", "time", "reason", "detail", "exit_code", "signal", "out_of_memory", "pid", "version", "restarts", "log", "calls", "started", "deaths", "log_dropped", "command", "host_pid", "host_version")
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_MEMORY_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    DEATHS_FIELD_NUMBER: _ClassVar[int]
    LOG_DROPPED_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    HOST_PID_FIELD_NUMBER: _ClassVar[int]
    HOST_VERSION_FIELD_NUMBER: _ClassVar[int]
    plugin: str
    replica: int
    time: _timestamp_pb2.Timestamp
    reason: str
    detail: str
    exit_code: int
    signal: int
    out_of_memory: bool
    pid: int
    version: str
    restarts: int
    log: _containers.RepeatedScalarFieldContainer[str]
    calls: _containers.RepeatedCompositeFieldContainer[CallInFlight]
    started: _timestamp_pb2.Timestamp
    deaths: int
    log_dropped: int
    command: str
    host_pid: int
    host_version: str
    def __init__(self, plugin: _Optional[str] = ..., replica: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., exit_code: _Optional[int] = ..., signal: _Optional[int] = ..., out_of_memory: bool = ..., pid: _Optional[int] = ..., version: _Optional[str] = ..., restarts: _Optional[int] = ..., log: _Optional[_Iterable[str]] = ..., calls: _Optional[_Iterable[_Union[CallInFlight, _Mapping]]] = ..., started: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deaths: _Optional[int] = ..., log_dropped: _Optional[int] = ..., command: _Optional[str] = ..., host_pid: _Optional[int] = ..., host_version: _Optional[str] = ...) -> None: ...

class CallInFlight(_message.Message):
    __slots__ = ("rpc", "run_id", "seconds", "agent")
    RPC_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    rpc: str
    run_id: str
    seconds: float
    agent: str
    def __init__(self, rpc: _Optional[str] = ..., run_id: _Optional[str] = ..., seconds: _Optional[float] = ..., agent: _Optional[str] = ...) -> None: ...
