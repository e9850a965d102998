// The official JavaScript client against our server. Usage: node client.js <host:port> <host:port with a 10,000 byte limit>.
// Prints one JSON line for each case: {"case", "error"}, error null when it held.
'use strict';
const assert = require('assert').strict;
const { grpc, Echo } = require('./echo');

const [address, limitedAddress] = process.argv.slice(2);
const insecure = grpc.credentials.createInsecure();
const client = new Echo(address, insecure);
const limited = new Echo(limitedAddress, insecure);
const gzip = new Echo(address, insecure, { 'grpc.default_compression_algorithm': 2 });

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
  async unicode_status() {
    const { error } = await unary(client, { fail_code: 5, fail_message: 'není tu: 100% ☺ 末日' });
    assert.equal(error.code, grpc.status.NOT_FOUND);
    assert.equal(error.details, 'není tu: 100% ☺ 末日');
  },
  async status_after_messages() {
    const { messages, error } = await collect(client.ServerStream({ count: 3, fail_code: 10, fail_message: 'then ☹' }));
    assert.equal(messages.length, 3);
    assert.equal(error.code, grpc.status.ABORTED);
    assert.equal(error.details, 'then ☹');
  },
  async unimplemented() {
    const error = await new Promise((resolve) => client.Unimplemented({}, resolve));
    assert.equal(error.code, grpc.status.UNIMPLEMENTED);
  },
  async deadline() {
    const { error } = await unary(client, { wait: true }, undefined, { deadline: Date.now() + 200 });
    assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
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
  async size_limit_exact_and_one_over() {
    const exact = await unary(limited, { payload: Buffer.alloc(10000 - 3) });
    assert.equal(exact.response.payload.length, 9997);
    const over = await unary(limited, { payload: Buffer.alloc(10001 - 3) });
    assert.equal(over.error.code, grpc.status.RESOURCE_EXHAUSTED);
  },
  async large_message() {
    const payload = Buffer.alloc(3 * 1024 * 1024, 5);
    const { response } = await unary(client, { payload });
    assert.ok(response.payload.equals(payload));
  },
  async a_hundred_streams_at_once() {
    const results = await Promise.all([...Array(100).keys()].map((n) => collect(client.ServerStream({ count: n, text: `${n}` }))));
    results.forEach(({ messages, status }, n) => {
      assert.equal(status.code, grpc.status.OK);
      assert.equal(messages.length, n);
      assert.ok(messages.every((message, i) => message.index === i && message.text === `${n}`));
    });
  },
};

(async () => {
  for (const [name, run] of Object.entries(cases)) {
    let error = null;
    try {
      await run();
    } catch (failure) {
      error = failure.stack;
    }
    console.log(JSON.stringify({ case: name, error }));
  }
  [client, limited, gzip].forEach((each) => each.close());
})();
