"""`python -m serving.generate_wire`: write wire.binpb, the descriptors of TensorFlow Serving's gRPC API.

The descriptors come out of the official tensorflow-serving-api and tensorflow packages as they are installed, so the
contract is never typed by hand; tests/serving/test_wire.py holds the written file equal to them.
"""

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from serving.wire import DESCRIPTORS


def official_descriptors() -> FileDescriptorSet:
    """PredictionService and ModelService with every file they need, dependencies first, without source comments."""
    from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2  # seconds: only when generating

    files: dict[str, FileDescriptorProto] = {}

    def add(descriptor: FileDescriptor) -> None:
        if descriptor.name in files:
            return
        for dependency in descriptor.dependencies:
            add(dependency)
        file = FileDescriptorProto()
        descriptor.CopyToProto(file)
        file.ClearField("source_code_info")
        files[descriptor.name] = file

    add(prediction_service_pb2.DESCRIPTOR)
    add(model_service_pb2.DESCRIPTOR)
    return FileDescriptorSet(file=files.values())


def main() -> None:
    """Write the file beside serving/wire.py, which reads it."""
    descriptors = official_descriptors()
    content = descriptors.SerializeToString(deterministic=True)
    DESCRIPTORS.write_bytes(content)
    print(f"{DESCRIPTORS}: {len(descriptors.file)} files, {len(content)} bytes")


if __name__ == "__main__":
    main()
