// The official JavaScript client against our server. Usage: node client.js <host:port> <host:port with a 10,000 byte limit>
// <host:port that counts pings>. Prints one JSON line for each case: {"case", "error"}, error null when it held.
'use strict';
const assert = require('assert').strict;
const { grpc, Echo } = require('./echo');

const [address, limitedAddress, tappedAddress] = process.argv.slice(2);
const insecure = grpc.credentials.createInsecure();
const client = new Echo(address, insecure);
const limited = new Echo(limitedAddress, insecure);
const gzip = new Echo(address, insecure, { 'grpc.default_compression_algorithm': 2 });
const receivingLimit = new Echo(address, insecure, { 'grpc.max_receive_message_length': 10000 });
const tapped = new Echo(tappedAddress, insecure, {
  'grpc.keepalive_time_ms': 100, 'grpc.keepalive_timeout_ms': 2000, 'grpc.use_local_subchannel_pool': 1,
});

function unary(on, request, metadata = new grpc.Metadata(), options = {}) {
  return new Promise((resolve) => {
    const result = {};
    const finish = () => { if ('status' in result && ('error' in result || 'response' in result)) resolve(result); };
    const call = on.Unary(request, metadata, options, (error, response) => {
      if (error) result.error = error; else result.response = response;
      finish();
    });
    call.on('metadata', (headers) => { result.headers = headers; });
    call.on('status', (status) => { result.status = status; finish(); });
  });
}

function collect(call) {
  return new Promise((resolve) => {
    const result = { messages: [], error: null };
    call.on('data', (message) => result.messages.push(message));
    call.on('error', (error) => { result.error = error; });
    call.on('status', (status) => { result.status = status; resolve(result); });
  });
}

const firstMessage = (call) => new Promise((resolve, reject) => {
  call.once('data', resolve);
  call.once('error', reject);
});

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const cases = {
  async unary() {
    const { response, status } = await unary(client, { text: 'žluť 🐎', payload: Buffer.from([1, 2, 3]) });
    assert.equal(response.text, 'žluť 🐎');
    assert.deepEqual([...response.payload], [1, 2, 3]);
    assert.equal(status.code, grpc.status.OK);
  },
  async server_stream() {
    const { messages, status } = await collect(client.ServerStream({ count: 500, text: 't' }));
    assert.deepEqual(messages.map((message) => message.index), [...Array(500).keys()]);
    assert.equal(status.code, grpc.status.OK);
  },
  async server_stream_without_messages() {
    const { messages, status } = await collect(client.ServerStream({ count: 0 }));
    assert.equal(messages.length, 0);
    assert.equal(status.code, grpc.status.OK);
  },
  async client_stream() {
    const response = await new Promise((resolve, reject) => {
      const call = client.ClientStream((error, value) => (error ? reject(error) : resolve(value)));
      for (let i = 0; i < 50; i++) call.write({ payload: Buffer.from([i]) });
      call.end();
    });
    assert.equal(response.index, 50);
    assert.deepEqual([...response.payload], [...Array(50).keys()]);
  },
  async duplex() {
    const call = client.Duplex();
    let sent = 0;
    call.on('data', (message) => {
      assert.equal(message.text, `${sent - 1}`);
      if (sent < 20) call.write({ text: `${sent++}` }); else call.end();
    });
    const done = collect(call);
    call.write({ text: `${sent++}` });
    const { messages, status } = await done;
    assert.equal(messages.length, 20);
    assert.equal(status.code, grpc.status.OK);
  },
  async half_close_before_the_answers() {
    const call = client.Duplex();
    for (let i = 0; i < 20; i++) call.write({ text: `${i}`, response_size: 50000 });
    call.end(); // 1 MB of answers is more than the windows hold: most are sent after this
    await pause(50);
    const { messages, status } = await collect(call);
    assert.deepEqual(messages.map((message) => message.text), [...Array(20).keys()].map(String));
    assert.equal(status.code, grpc.status.OK);
  },
  async server_ends_before_half_close() {
    const call = client.Duplex();
    const done = collect(call);
    call.write({ text: 'a' });
    call.write({ fail_code: 9, fail_message: 'enough' });
    const { messages, error } = await done;
    assert.equal(messages.length, 2);
    assert.equal(error.code, grpc.status.FAILED_PRECONDITION);
    assert.equal(error.details, 'enough');
  },
  async binary_metadata() {
    const bytes = Buffer.from([...Array(256).keys()]);
    const metadata = new grpc.Metadata();
    metadata.add('x-bytes-bin', bytes);
    metadata.add('x-bytes-bin', Buffer.from([9]));
    metadata.add('x-text', 'a b');
    metadata.add('x-empty-bin', Buffer.alloc(0));
    const { headers, status } = await unary(client, {}, metadata);
    for (const received of [headers, status.metadata]) {
      assert.deepEqual(received.get('x-bytes-bin').map((value) => [...value]), [[...bytes], [9]]);
      assert.deepEqual(received.get('x-text'), ['a b']);
      assert.deepEqual(received.get('x-empty-bin').map((value) => value.length), [0]);
    }
  },
  async unicode_message() {
    const { error } = await unary(client, { fail_code: 5, fail_message: 'není tu: 100% ☺ 末日\r\n' });
    assert.equal(error.code, grpc.status.NOT_FOUND);
    assert.equal(error.details, 'není tu: 100% ☺ 末日\r\n');
  },
  async status_after_messages() {
    const { messages, error } = await collect(client.ServerStream({ count: 3, fail_code: 10, fail_message: 'then ☹' }));
    assert.equal(messages.length, 3);
    assert.equal(error.code, grpc.status.ABORTED);
    assert.equal(error.details, 'then ☹');
  },
  async status_with_details() {
    const { error } = await unary(client, { fail_code: 8, fail_message: 'f', fail_details: Buffer.from([8, 8, 18, 1, 102, 255]) });
    assert.deepEqual([...error.metadata.get('grpc-status-details-bin')[0]], [8, 8, 18, 1, 102, 255]);
  },
  async unimplemented() {
    const error = await new Promise((resolve) => client.Unimplemented({}, resolve));
    assert.equal(error.code, grpc.status.UNIMPLEMENTED);
  },
  async deadline_ends_the_call() {
    const { error } = await unary(client, { wait: true }, undefined, { deadline: Date.now() + 200 });
    assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
  },
  async deadline_reaches_the_server() {
    const { response } = await unary(client, {}, undefined, { deadline: Date.now() + 20000 });
    assert.ok(response.remaining_ms > 15000 && response.remaining_ms <= 20000, `${response.remaining_ms} ms`);
  },
  async cancel_in_mid_stream() {
    const call = client.ServerStream({ count: 5, wait: true });
    call.on('data', (message) => { if (message.index === 4) call.cancel(); });
    const { messages, status } = await collect(call);
    assert.equal(messages.length, 5);
    assert.equal(status.code, grpc.status.CANCELLED);
  },
  async gzip_both_ways() {
    const payload = Buffer.alloc(100000, 7);
    const { response, headers } = await unary(gzip, { payload, compress: true });
    assert.ok(response.payload.equals(payload));
    assert.deepEqual(headers.get('grpc-encoding'), []); // the client has consumed it
  },
  async gzip_stream() {
    const { messages } = await collect(gzip.ServerStream({ count: 20, compress: true, response_size: 5000 }));
    assert.equal(messages.length, 20);
    assert.ok(messages.every((message) => message.payload.length === 5000));
  },
  async request_of_exactly_the_limit_and_one_byte_more() {
    const exact = await unary(limited, { payload: Buffer.alloc(10000 - 3) });
    assert.equal(exact.response.payload.length, 9997);
    const over = await unary(limited, { payload: Buffer.alloc(10001 - 3) });
    assert.equal(over.error.code, grpc.status.RESOURCE_EXHAUSTED);
  },
  async response_of_exactly_the_limit_and_one_byte_more() {
    const exact = await unary(receivingLimit, { response_size: 10000 - 3 });
    assert.equal(exact.response.payload.length, 9997);
    const over = await unary(receivingLimit, { response_size: 10001 - 3 });
    assert.equal(over.error.code, grpc.status.RESOURCE_EXHAUSTED);
  },
  async large_message() {
    const payload = Buffer.alloc(3 * 1024 * 1024, 5);
    const { response } = await unary(client, { payload });
    assert.ok(response.payload.equals(payload));
  },
  async a_thousand_streams_at_once() {
    const calls = [...Array(1000).keys()].map(() => client.Duplex());
    calls.forEach((call, n) => call.write({ text: `${n}` }));
    const first = await Promise.all(calls.map(firstMessage)); // each has an answer, none has ended: all are open now
    first.forEach((message, n) => assert.equal(message.text, `${n}`));
    const done = Promise.all(calls.map(collect));
    calls.forEach((call, n) => { call.write({ text: `again ${n}` }); call.end(); });
    (await done).forEach(({ messages, status }, n) => {
      assert.equal(status.code, grpc.status.OK);
      assert.deepEqual(messages.map((message) => message.text), [`again ${n}`]);
    });
  },
  async keep_alive() {
    const call = tapped.Duplex();
    call.write({ text: 'a' });
    await firstMessage(call);
    await pause(1200);
    const next = firstMessage(call);
    call.write({ text: 'b' });
    assert.equal((await next).text, 'b');
    const done = collect(call);
    call.end();
    assert.equal((await done).status.code, grpc.status.OK);
  },
};

(async () => {
  for (const [name, run] of Object.entries(cases)) {
    let error = null;
    try {
      await run();
    } catch (failure) {
      error = failure.stack ?? `${failure}`;
    }
    console.log(JSON.stringify({ case: name, error }));
  }
  [client, limited, gzip, receivingLimit, tapped].forEach((each) => each.close());
})();
