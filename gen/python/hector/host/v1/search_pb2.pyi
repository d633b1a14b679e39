from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SearchMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEARCH_MODE_UNSPECIFIED: _ClassVar[SearchMode]
    SEARCH_MODE_HYBRID: _ClassVar[SearchMode]
    SEARCH_MODE_VECTOR: _ClassVar[SearchMode]
    SEARCH_MODE_KEYWORD: _ClassVar[SearchMode]
SEARCH_MODE_UNSPECIFIED: SearchMode
SEARCH_MODE_HYBRID: SearchMode
SEARCH_MODE_VECTOR: SearchMode
SEARCH_MODE_KEYWORD: SearchMode

class SearchRequest(_message.Message):
    __slots__ = ("store", "questions", "mode", "limit", "threshold", "filter", "exact", "no_rerank")
    STORE_FIELD_NUMBER: _ClassVar[int]
    QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    NO_RERANK_FIELD_NUMBER: _ClassVar[int]
    store: str
    questions: _containers.RepeatedScalarFieldContainer[str]
    mode: SearchMode
    limit: int
    threshold: float
    filter: _struct_pb2.Struct
    exact: bool
    no_rerank: bool
    def __init__(self, store: _Optional[str] = ..., questions: _Optional[_Iterable[str]] = ..., mode: _Optional[_Union[SearchMode, str]] = ..., limit: _Optional[int] = ..., threshold: _Optional[float] = ..., filter: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., exact: bool = ..., no_rerank: bool = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("store", "answers")
    STORE_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    store: str
    answers: _containers.RepeatedCompositeFieldContainer[SearchAnswer]
    def __init__(self, store: _Optional[str] = ..., answers: _Optional[_Iterable[_Union[SearchAnswer, _Mapping]]] = ...) -> None: ...

class SearchAnswer(_message.Message):
    __slots__ = ("passages",)
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    passages: _containers.RepeatedCompositeFieldContainer[Passage]
    def __init__(self, passages: _Optional[_Iterable[_Union[Passage, _Mapping]]] = ...) -> None: ...

class Passage(_message.Message):
    __slots__ = ("text", "source", "score", "store", "heading", "path", "line", "end_line", "page", "vector_score", "keyword_score", "rerank_score")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    HEADING_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    END_LINE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    VECTOR_SCORE_FIELD_NUMBER: _ClassVar[int]
    KEYWORD_SCORE_FIELD_NUMBER: _ClassVar[int]
    RERANK_SCORE_FIELD_NUMBER: _ClassVar[int]
    text: str
    source: str
    score: float
    store: str
    heading: str
    path: str
    line: int
    end_line: int
    page: int
    vector_score: float
    keyword_score: float
    rerank_score: float
    def __init__(self, text: _Optional[str] = ..., source: _Optional[str] = ..., score: _Optional[float] = ..., store: _Optional[str] = ..., heading: _Optional[str] = ..., path: _Optional[str] = ..., line: _Optional[int] = ..., end_line: _Optional[int] = ..., page: _Optional[int] = ..., vector_score: _Optional[float] = ..., keyword_score: _Optional[float] = ..., rerank_score: _Optional[float] = ...) -> None: ...
