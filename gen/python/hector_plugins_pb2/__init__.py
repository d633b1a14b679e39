from hector.plugin.v1.database_pb2 import *
from hector.plugin.v1.embedder_pb2 import *
from hector.plugin.v1.llm_pb2 import *
from hector.plugin.v1.message_pb2 import *
from hector.plugin.v1.plugin_pb2 import *
from hector.plugin.v1.reasoning_pb2 import *
from hector.plugin.v1.tool_pb2 import *
