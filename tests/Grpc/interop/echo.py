"""The echo service's messages for Python, made from the descriptor in ECHO_DESCRIPTOR (base64): no generated code is needed."""
import base64
import os

from google.protobuf import descriptor_pool, message_factory

pool = descriptor_pool.DescriptorPool()
pool.AddSerializedFile(base64.b64decode(os.environ["ECHO_DESCRIPTOR"]))
classes = message_factory.MessageFactory(pool)
EchoRequest = classes.GetPrototype(pool.FindMessageTypeByName("recsys.test.EchoRequest"))
EchoResponse = classes.GetPrototype(pool.FindMessageTypeByName("recsys.test.EchoResponse"))
SERVICE = "recsys.test.Echo"
