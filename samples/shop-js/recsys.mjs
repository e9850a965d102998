// A client of the Recsys server on the official library: deadlines, retries with a budget, a fallback.
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

// Tried again where the server is away, is stopping or has too many requests waiting, after as long as it says; where nothing ends well,
// only the first calls are.
const serviceConfig = {
  methodConfig: [{
    name: [{}],
    retryPolicy: {
      maxAttempts: 3, initialBackoff: '0.02s', maxBackoff: '0.2s', backoffMultiplier: 2,
      retryableStatusCodes: ['UNAVAILABLE', 'RESOURCE_EXHAUSTED'],
    },
  }],
  retryThrottling: { maxTokens: 20, tokenRatio: 0.1 },
};

const { CANCELLED, INVALID_ARGUMENT, NOT_FOUND } = grpc.status;

// address: host:port of gRPC; protos: the folder Protos of the product; deadline in milliseconds, retries included.
export function connect(address, protos, { deadline = 500 } = {}) {
  const files = ['retrieval', 'items', 'events'].map((name) => `recsys/v1/${name}.proto`);
  const definition = loader.loadSync(files, { includeDirs: [protos], keepCase: true, longs: Number, enums: String, defaults: true });
  const { Retrieval, Items, Events } = grpc.loadPackageDefinition(definition).recsys.v1;
  const options = { 'grpc.service_config': JSON.stringify(serviceConfig) };
  const made = (Service) => new Service(address, grpc.credentials.createInsecure(), options);
  const [retrieval, items, events] = [made(Retrieval), made(Items), made(Events)];
  const call = (client, method, request) => new Promise((resolve, reject) =>
    client[method](request, { deadline: Date.now() + deadline }, (error, answer) => (error ? reject(error) : resolve(answer))));

  return {
    recommend: (request) => call(retrieval, 'Recommend', request),

    // The ids of next items, or the caller's own where the server does not answer in time. A wrong request is thrown.
    async recommendOrElse(request, fallback) {
      try {
        const answer = await call(retrieval, 'Recommend', request);
        return { ids: answer.items.map((item) => item.item_id), version: answer.version };
      } catch (error) {
        if ([CANCELLED, INVALID_ARGUMENT, NOT_FOUND].includes(error.code)) throw error;
        const left = new Set([...(request.exclude ?? []), ...(request.exclude_seen ? request.history ?? [] : [])]);
        return { ids: fallback().filter((id) => !left.has(id)).slice(0, request.k || 10), version: null, error };
      }
    },

    // The time is taken here, so that a call that is tried again tells the same event.
    record(userId, itemId, at = Date.now()) {
      const time = { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1e6 };
      return call(events, 'Record', { events: [{ user_id: userId, item_id: itemId, time }] });
    },
    upsert: (upserts) => call(items, 'Upsert', { items: upserts }),
    close: () => [retrieval, items, events].forEach((client) => client.close()),
  };
}
