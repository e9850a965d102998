// The echo service on the official JavaScript server, for our client. Prints its port; ends when standard input does.
'use strict';
const { grpc, Echo } = require('./echo');

function echoMetadata(call) {
  const echoed = new grpc.Metadata();
  for (const key of Object.keys(call.metadata.getMap())) {
    if (key.startsWith('x-')) call.metadata.get(key).forEach((value) => echoed.add(key, value));
  }
  return echoed;
}

function respond(call, request, index) {
  const deadline = call.getDeadline();
  return {
    payload: request.response_size > 0 ? Buffer.alloc(request.response_size) : request.payload,
    text: request.text,
    index,
    remaining_ms: deadline === Infinity ? 0 : Math.trunc(deadline - Date.now()),
  };
}

function failure(request, trailers = new grpc.Metadata()) {
  if (request.fail_details.length > 0) trailers.set('grpc-status-details-bin', request.fail_details);
  return request.fail_code > 0 ? { code: request.fail_code, details: request.fail_message, metadata: trailers } : null;
}

const service = {
  Unary(call, callback) {
    const echoed = echoMetadata(call);
    if (Object.keys(echoed.getMap()).length > 0) call.sendMetadata(echoed);
    if (call.request.wait) return;
    callback(failure(call.request, echoed), respond(call, call.request, 0), echoed);
  },
  ServerStream(call) {
    const echoed = echoMetadata(call);
    for (let i = 0; i < call.request.count; i++) call.write(respond(call, call.request, i));
    if (call.request.wait) return;
    const error = failure(call.request, echoed);
    if (error) call.emit('error', error); else call.end(echoed);
  },
  ClientStream(call, callback) {
    const payloads = [];
    let failed = false;
    call.on('data', (request) => {
      payloads.push(request.payload);
      const error = failure(request);
      if (error && !failed) { failed = true; callback(error); }
    });
    call.on('end', () => { if (!failed) callback(null, { payload: Buffer.concat(payloads), index: payloads.length }); });
  },
  Duplex(call) {
    let index = 0;
    call.on('data', (request) => {
      call.write(respond(call, request, index++));
      const error = failure(request);
      if (error) call.emit('error', error);
    });
    call.on('end', () => call.end());
  },
};

const compression = process.argv[2] === 'gzip' ? { 'grpc.default_compression_algorithm': 2 } : {};
const server = new grpc.Server({ 'grpc.max_receive_message_length': 1000000, ...compression });
server.addService(Echo.service, service);
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
process.stdin.on('end', () => { server.forceShutdown(); process.exit(0); });
process.stdin.resume();
