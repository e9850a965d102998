"""Calls a running server with the official Python client and prints what it saw as one JSON object.

python3 client.py ADDRESS ITEM_ID [ITEM_ID...], with the files of health and reflection as a serialized FileDescriptorSet in base64 in
PROTOCOLS. What recsys itself speaks is asked of the server's reflection, as grpcurl does.
"""
import base64
import json
import os
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory


class Protocol:
    """Messages and methods of a set of files."""

    def __init__(self, channel, files):
        self.channel, self.pool = channel, descriptor_pool.DescriptorPool()
        files, added = {file.name: file for file in files}, set()

        def add(file):
            if file.name not in added:
                added.add(file.name)
                for dependency in file.dependency:
                    add(files[dependency])
                self.pool.AddSerializedFile(file.SerializeToString())

        for file in files.values():
            add(file)

    def message(self, descriptor):
        modern = getattr(message_factory, "GetMessageClass", None)
        return modern(descriptor) if modern else message_factory.MessageFactory(self.pool).GetPrototype(descriptor)

    def call(self, name, *requests, timeout=60):
        """The answers to requests given as dictionaries; (code, details) where the call fails."""
        service, method = name.split("/")
        method = self.pool.FindServiceByName(service).FindMethodByName(method)
        request, response = self.message(method.input_type), self.message(method.output_type)
        kind = ("stream" if name.endswith("ServerReflectionInfo") else "unary") + "_stream"
        call = getattr(self.channel, kind)(f"/{name}", request.SerializeToString, response.FromString)
        messages = [json_format.ParseDict(fields, request()) for fields in requests]
        return call(iter(messages) if kind == "stream_stream" else messages[0], timeout=timeout)

    def all(self, name, *requests):
        try:
            return [json_format.MessageToDict(answer, preserving_proto_field_name=True) for answer in self.call(name, *requests)]
        except grpc.RpcError as error:
            return {"code": error.code().name, "details": error.details()}


def first(call):
    """The first message of a stream that does not end by itself."""
    message = json_format.MessageToDict(next(call))
    call.cancel()
    return message


address, *history = sys.argv[1:]
channel = grpc.insecure_channel(address.split("//")[1])
protocols = Protocol(channel, descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(os.environ["PROTOCOLS"])).file)
reflection = {v: f"grpc.reflection.{v}.ServerReflection/ServerReflectionInfo" for v in ("v1", "v1alpha")}
listed = {version: protocols.all(method, {"list_services": ""})[0]["list_services_response"] for version, method in reflection.items()}
services = {version: [service["name"] for service in answer["service"]] for version, answer in listed.items()}
asked = [{"file_containing_symbol": name} for name in services["v1"] if name.startswith("recsys.")]
found = [file for answer in protocols.all(reflection["v1"], *asked) for file in answer["file_descriptor_response"]["file_descriptor_proto"]]
recsys = Protocol(channel, [descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(file)) for file in found])
print(json.dumps({
    "services": services,
    "recommend": recsys.all("recsys.v1.Retrieval/Recommend", {"history": history, "k": 7}),
    "unknown": recsys.all("recsys.v1.Retrieval/Recommend", {"history": ["no-such-item"]}),
    "refused": recsys.all("recsys.v1.Retrieval/Recommend", {"history": ["x" * 9000]}),
    "generate": recsys.all("recsys.v1.Creative/Generate", {"item_id": history[0], "count": 2, "seed": 11}),
    "health": protocols.all("grpc.health.v1.Health/Check", {}),
    "health_of_nothing": protocols.all("grpc.health.v1.Health/Check", {"service": "no.such.Service"}),
    "watch": first(protocols.call("grpc.health.v1.Health/Watch", {})),
}))
