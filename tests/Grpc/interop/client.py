"""The official Python client against our server. Usage: client.py <host:port> <host:port with a 10,000 byte limit>
<host:port that counts pings>. Prints one JSON line for each case: {"case", "error"}, error null when it held."""
import asyncio
import json
import sys
import traceback

import grpc
from echo import SERVICE, EchoRequest, EchoResponse


class Stub:
    def __init__(self, address, options=(), compression=None):
        # Each channel has connections of its own.
        self.channel = grpc.aio.insecure_channel(
            address, options=[("grpc.use_local_subchannel_pool", 1), *options], compression=compression)
        codec = {"request_serializer": EchoRequest.SerializeToString, "response_deserializer": EchoResponse.FromString}
        self.unary = self.channel.unary_unary(f"/{SERVICE}/Unary", **codec)
        self.unimplemented = self.channel.unary_unary(f"/{SERVICE}/Unimplemented", **codec)
        self.server_stream = self.channel.unary_stream(f"/{SERVICE}/ServerStream", **codec)
        self.client_stream = self.channel.stream_unary(f"/{SERVICE}/ClientStream", **codec)
        self.duplex = self.channel.stream_stream(f"/{SERVICE}/Duplex", **codec)


async def failure(call):
    try:
        await (call.read() if hasattr(call, "read") else call)
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("the call ended well")


async def unary(client):
    response = await client.unary(EchoRequest(text="žluť 🐎", payload=bytes([1, 2, 3])))
    assert (response.text, response.payload) == ("žluť 🐎", bytes([1, 2, 3]))


async def server_stream(client):
    call = client.server_stream(EchoRequest(count=500, text="t"))
    assert [response.index async for response in call] == list(range(500))
    assert await call.code() == grpc.StatusCode.OK


async def server_stream_without_messages(client):
    call = client.server_stream(EchoRequest())
    assert [response async for response in call] == []
    assert await call.code() == grpc.StatusCode.OK


async def client_stream(client):
    response = await client.client_stream(EchoRequest(payload=bytes([i])) for i in range(50))
    assert (response.index, response.payload) == (50, bytes(range(50)))


async def duplex(client):
    call = client.duplex()
    for i in range(20):
        await call.write(EchoRequest(text=str(i)))
        assert (await call.read()).text == str(i)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() == grpc.StatusCode.OK


async def half_close_before_the_answers(client):
    call = client.duplex()
    for i in range(20):
        await call.write(EchoRequest(text=str(i), response_size=50000))
    await call.done_writing()
    await asyncio.sleep(0.05)
    assert [response.text async for response in call] == [str(i) for i in range(20)]
    assert await call.code() == grpc.StatusCode.OK


async def server_ends_before_half_close(client):
    call = client.duplex()
    await call.write(EchoRequest(text="a"))
    await call.write(EchoRequest(fail_code=9, fail_message="enough"))
    assert [(await call.read()).index for _ in range(2)] == [0, 1]
    error = await failure(call)
    assert (error.code(), error.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "enough")


async def binary_metadata(client):
    sent = [("x-bytes-bin", bytes(range(256))), ("x-bytes-bin", b"\t"), ("x-text", "a b"), ("x-empty-bin", b"")]
    call = client.unary(EchoRequest(), metadata=sent)
    await call
    for received in (await call.initial_metadata(), await call.trailing_metadata()):
        assert [entry for entry in received if entry[0].startswith("x-")] == sent, received


async def unicode_message(client):
    error = await failure(client.unary(EchoRequest(fail_code=5, fail_message="není tu: 100% ☺ 末日\r\n")))
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "není tu: 100% ☺ 末日\r\n")


async def status_after_messages(client):
    call = client.server_stream(EchoRequest(count=3, fail_code=10, fail_message="then ☹"))
    assert [(await call.read()).index for _ in range(3)] == [0, 1, 2]
    error = await failure(call)
    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "then ☹")


async def status_with_details(client):
    error = await failure(client.unary(EchoRequest(fail_code=8, fail_message="f", fail_details=bytes([8, 8, 18, 1, 102, 255]))))
    assert ("grpc-status-details-bin", bytes([8, 8, 18, 1, 102, 255])) in tuple(error.trailing_metadata())


async def unimplemented(client):
    assert (await failure(client.unimplemented(EchoRequest()))).code() == grpc.StatusCode.UNIMPLEMENTED


async def deadline_ends_the_call(client):
    assert (await failure(client.unary(EchoRequest(wait=True), timeout=0.2))).code() == grpc.StatusCode.DEADLINE_EXCEEDED


async def deadline_reaches_the_server(client):
    remaining = (await client.unary(EchoRequest(), timeout=20)).remaining_ms
    assert 15000 < remaining <= 20500, remaining  # the client rounds up


async def cancel_in_mid_stream(client):
    call = client.server_stream(EchoRequest(count=5, wait=True))
    for _ in range(5):
        await call.read()
    call.cancel()
    assert await call.code() == grpc.StatusCode.CANCELLED


async def gzip_both_ways(gzip):
    payload = bytes([7]) * 100000
    assert (await gzip.unary(EchoRequest(payload=payload, compress=True))).payload == payload


async def gzip_stream(gzip):
    sizes = [len(response.payload) async for response in gzip.server_stream(EchoRequest(count=20, compress=True, response_size=5000))]
    assert sizes == [5000] * 20


async def request_of_exactly_the_limit_and_one_byte_more(limited):
    assert len((await limited.unary(EchoRequest(payload=bytes(10000 - 3)))).payload) == 9997
    assert (await failure(limited.unary(EchoRequest(payload=bytes(10001 - 3))))).code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def response_of_exactly_the_limit_and_one_byte_more(receiving_limit):
    assert len((await receiving_limit.unary(EchoRequest(response_size=10000 - 3))).payload) == 9997
    assert (await failure(receiving_limit.unary(EchoRequest(response_size=10001 - 3)))).code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def large_message(client):
    payload = bytes([5]) * (3 * 1024 * 1024)
    assert (await client.unary(EchoRequest(payload=payload))).payload == payload


async def a_thousand_streams_at_once(client):
    calls = [client.duplex() for _ in range(1000)]
    await asyncio.gather(*(call.write(EchoRequest(text=str(n))) for n, call in enumerate(calls)))
    first = await asyncio.gather(*(call.read() for call in calls))  # each has an answer, none has ended: all are open now
    assert [message.text for message in first] == [str(n) for n in range(1000)]
    await asyncio.gather(*(call.write(EchoRequest(text=f"again {n}")) for n, call in enumerate(calls)))
    await asyncio.gather(*(call.done_writing() for call in calls))

    async def rest(call):
        return (await call.read()).text, await call.read(), await call.code()
    assert await asyncio.gather(*map(rest, calls)) == [(f"again {n}", grpc.aio.EOF, grpc.StatusCode.OK) for n in range(1000)]


async def keep_alive(tapped):
    call = tapped.duplex()
    await call.write(EchoRequest(text="a"))
    assert (await call.read()).text == "a"
    await asyncio.sleep(1.2)
    await call.write(EchoRequest(text="b"))
    assert (await call.read()).text == "b"
    await call.done_writing()
    assert await call.code() == grpc.StatusCode.OK


async def main(address, limited_address, tapped_address):
    client = Stub(address)
    limited = Stub(limited_address)
    gzip = Stub(address, compression=grpc.Compression.Gzip)
    receiving_limit = Stub(address, [("grpc.max_receive_message_length", 10000)])
    tapped = Stub(tapped_address, [
        ("grpc.keepalive_time_ms", 100), ("grpc.keepalive_timeout_ms", 2000), ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_time_between_pings_ms", 100)])
    for case, stub in [
            (unary, client), (server_stream, client), (server_stream_without_messages, client), (client_stream, client), (duplex, client),
            (half_close_before_the_answers, client), (server_ends_before_half_close, client), (binary_metadata, client),
            (unicode_message, client), (status_after_messages, client), (status_with_details, client), (unimplemented, client),
            (deadline_ends_the_call, client), (deadline_reaches_the_server, client), (cancel_in_mid_stream, client),
            (gzip_both_ways, gzip), (gzip_stream, gzip), (request_of_exactly_the_limit_and_one_byte_more, limited),
            (response_of_exactly_the_limit_and_one_byte_more, receiving_limit), (large_message, client),
            (a_thousand_streams_at_once, client), (keep_alive, tapped)]:
        error = None
        try:
            await case(stub)
        except Exception:  # of any kind: it is reported
            error = traceback.format_exc()
        print(json.dumps({"case": case.__name__, "error": error}), flush=True)
    for stub in (client, limited, gzip, receiving_limit, tapped):
        await stub.channel.close()


asyncio.run(main(*sys.argv[1:]))
