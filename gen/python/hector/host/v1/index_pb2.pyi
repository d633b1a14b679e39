from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IndexStoreRequest(_message.Message):
    __slots__ = ("store",)
    STORE_FIELD_NUMBER: _ClassVar[int]
    store: str
    def __init__(self, store: _Optional[str] = ...) -> None: ...

class IndexStoreResponse(_message.Message):
    __slots__ = ("store", "progress", "report")
    STORE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    store: str
    progress: IndexProgress
    report: IndexReport
    def __init__(self, store: _Optional[str] = ..., progress: _Optional[_Union[IndexProgress, _Mapping]] = ..., report: _Optional[_Union[IndexReport, _Mapping]] = ...) -> None: ...

class IndexProgress(_message.Message):
    __slots__ = ("files", "total_files", "chunks", "embedded", "bytes", "total_bytes", "seconds")
    FILES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FILES_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDED_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    files: int
    total_files: int
    chunks: int
    embedded: int
    bytes: int
    total_bytes: int
    seconds: float
    def __init__(self, files: _Optional[int] = ..., total_files: _Optional[int] = ..., chunks: _Optional[int] = ..., embedded: _Optional[int] = ..., bytes: _Optional[int] = ..., total_bytes: _Optional[int] = ..., seconds: _Optional[float] = ...) -> None: ...

class IndexReport(_message.Message):
    __slots__ = ("files", "chunks", "embedded", "removed", "skipped", "seconds", "embedding_seconds")
    FILES_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    files: int
    chunks: int
    embedded: int
    removed: int
    skipped: _containers.RepeatedCompositeFieldContainer[SkippedFile]
    seconds: float
    embedding_seconds: float
    def __init__(self, files: _Optional[int] = ..., chunks: _Optional[int] = ..., embedded: _Optional[int] = ..., removed: _Optional[int] = ..., skipped: _Optional[_Iterable[_Union[SkippedFile, _Mapping]]] = ..., seconds: _Optional[float] = ..., embedding_seconds: _Optional[float] = ...) -> None: ...

class SkippedFile(_message.Message):
    __slots__ = ("path", "reason")
    PATH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    path: str
    reason: str
    def __init__(self, path: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
