"""The echo service on the official Python server, for our client. Prints its port; ends when standard input does."""
import asyncio
import sys

import grpc
from echo import SERVICE, EchoRequest, EchoResponse


def echoed(context):
    return [(key, value) for key, value in context.invocation_metadata() if key.startswith("x-")]


def respond(request, index, context):
    remaining = context.time_remaining()
    return EchoResponse(
        payload=bytes(request.response_size) if request.response_size > 0 else request.payload,
        text=request.text, index=index, remaining_ms=int(remaining * 1000) if remaining is not None else 0)


async def finish(request, context):
    if request.fail_code > 0:
        code = next(code for code in grpc.StatusCode if code.value[0] == request.fail_code)
        details = [("grpc-status-details-bin", request.fail_details)] if request.fail_details else []
        await context.abort(code, request.fail_message, tuple(echoed(context) + details))
    if request.wait:
        await asyncio.sleep(3600)


async def unary(request, context):
    context.set_trailing_metadata(echoed(context))
    if echoed(context):
        await context.send_initial_metadata(echoed(context))
    await finish(request, context)
    return respond(request, 0, context)


async def server_stream(request, context):
    context.set_trailing_metadata(echoed(context))
    for index in range(request.count):
        await context.write(respond(request, index, context))
    await finish(request, context)


async def client_stream(requests, context):
    payloads = []
    async for request in requests:
        payloads.append(request.payload)
        await finish(request, context)
    return EchoResponse(payload=b"".join(payloads), index=len(payloads))


async def duplex(requests, context):
    index = 0
    async for request in requests:
        await context.write(respond(request, index, context))
        index += 1
        await finish(request, context)


async def main(compression):
    # Our client may ping as often as it likes; the default punishes it after two.
    options = [("grpc.max_receive_message_length", 1000000), ("grpc.http2.min_ping_interval_without_data_ms", 100)]
    server = grpc.aio.server(options=options, compression=compression)
    codec = {"request_deserializer": EchoRequest.FromString, "response_serializer": EchoResponse.SerializeToString}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {
        "Unary": grpc.unary_unary_rpc_method_handler(unary, **codec),
        "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream, **codec),
        "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream, **codec),
        "Duplex": grpc.stream_stream_rpc_method_handler(duplex, **codec),
    }),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(None)


asyncio.run(main(grpc.Compression.Gzip if "gzip" in sys.argv else None))
