"""A protoc plugin that writes the gRPC half of the Python bindings: buf can reach it only inside grpcio-tools.

It also writes what the bindings need beside them, so that nothing under gen/python is written by hand: the markers of
typed packages; `hector_plugins_pb2` and `hector_plugins_pb2_grpc`, the two names that the plugin guide imports; and
`hector.plugin.v1.packed`, for programs that handle vectors by the thousand.
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

GUIDE_PACKAGE = "hector/plugin/"
"""The guide's two modules hold what plugins serve; the host's own API is not part of them."""

PACKED = Path(__file__).with_name("packed.py")
"""A module of the bindings that depends on no proto, so that it is only copied."""


def grpc_stubs(request: CodeGeneratorRequest) -> dict[str, str]:
    """The `_pb2_grpc.py` modules, by path."""
    with tempfile.TemporaryDirectory() as folder:
        image, out = Path(folder, "image.binpb"), Path(folder, "out")
        out.mkdir()
        image.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        flags = [f"--descriptor_set_in={image}", f"--grpc_python_out={request.parameter}:{out}"]
        if protoc.main(["protoc", *flags, *request.file_to_generate]):
            sys.exit("grpc_tools.protoc could not generate the gRPC stubs")
        return {path.relative_to(out).as_posix(): path.read_text() for path in sorted(out.rglob("*.py"))}


def typed_markers(files: list[str]) -> dict[str, str]:
    """PEP 561: the bindings carry their types."""
    return {(package / "py.typed").as_posix(): "" for package in {Path(name).parent for name in files}}


def guide_modules(files: list[str]) -> dict[str, str]:
    """One package for all messages and one for all services, which re-export the contract."""
    modules = {}
    stems = [name.removesuffix(".proto").replace("/", ".") for name in files if name.startswith(GUIDE_PACKAGE)]
    for half in ("pb2", "pb2_grpc"):
        modules[f"hector_plugins_{half}/__init__.py"] = "".join(f"from {stem}_{half} import *\n" for stem in stems)
        modules[f"hector_plugins_{half}/py.typed"] = ""
    return modules


def main() -> None:
    """Answer protoc's request on stdin with the files on stdout."""
    request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    files = sorted(request.file_to_generate)
    response = CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL)
    written = grpc_stubs(request) | typed_markers(files) | guide_modules(files)
    written[f"hector/plugin/v1/{PACKED.name}"] = PACKED.read_text()
    for name in sorted(written):
        response.file.add(name=name, content=written[name])
    sys.stdout.buffer.write(response.SerializeToString())


if __name__ == "__main__":
    main()
