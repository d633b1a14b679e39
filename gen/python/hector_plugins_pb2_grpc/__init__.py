from hector.plugin.v1.database_pb2_grpc import *
from hector.plugin.v1.embedder_pb2_grpc import *
from hector.plugin.v1.llm_pb2_grpc import *
from hector.plugin.v1.message_pb2_grpc import *
from hector.plugin.v1.plugin_pb2_grpc import *
from hector.plugin.v1.reasoning_pb2_grpc import *
from hector.plugin.v1.tool_pb2_grpc import *
