// Calls a running server with the official JavaScript client and prints what it saw as one JSON object.
// node client.mjs ADDRESS PROTOS_FOLDER NODE_MODULES ITEM_ID [ITEM_ID...]
import { createRequire } from 'node:module';
import path from 'node:path';

const [address, protos, modules, ...history] = process.argv.slice(2);
const require = createRequire(path.join(modules, 'anchor.js'));
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const load = (name) =>
  grpc.loadPackageDefinition(
    loader.loadSync(`recsys/v1/${name}.proto`, { includeDirs: [protos], keepCase: true, longs: String, defaults: true, oneofs: true })
  ).recsys.v1;

const target = address.replace(/^https?:\/\//, '');
const credentials = grpc.credentials.createInsecure();
const retrieval = new (load('retrieval').Retrieval)(target, credentials);
const creative = new (load('creative').Creative)(target, credentials);

const unary = (client, method, request) =>
  new Promise((resolve) => client[method](request, { deadline: Date.now() + 30000 }, (error, answer) =>
    resolve(error ? { code: error.code, details: error.details } : answer)));

const stream = (call) =>
  new Promise((resolve) => {
    const seen = { progress: 0, images: [] };
    call.on('data', (message) => {
      seen.version = message.version;
      if (message.event === 'progress') seen.progress++;
      if (message.event === 'image') {
        seen.images.push({ png: message.image.png.toString('base64'), codes: message.image.semantic_id.codes, seed: message.image.seed, item_id: message.image.item_id });
      }
    });
    call.on('error', (error) => resolve({ ...seen, code: error.code, details: error.details }));
    call.on('end', () => resolve({ ...seen, code: 0 }));
  });

const deadline = { deadline: Date.now() + 60000 };
console.log(JSON.stringify({
  recommend: await unary(retrieval, 'Recommend', { history, k: 7 }),
  unknown: await unary(retrieval, 'Recommend', { history: ['no-such-item'] }),
  refused: await unary(retrieval, 'Recommend', { history: ['x'.repeat(9000)] }),
  item: await stream(creative.Generate({ item_id: history[0], count: 2, seed: 11 }, deadline)),
  again: await stream(creative.Generate({ item_id: history[0], count: 1, seed: 12 }, deadline)),
  liked: await stream(creative.Generate({ history: { item_ids: history }, count: 3, seed: 1 }, deadline)),
  prefix: await stream(creative.Generate({ semantic_id: { codes: [1] }, count: 1, size: 64 }, deadline)),
}));
process.exit(0);
