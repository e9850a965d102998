// A small shop's backend: what is sold out is never shown, and where the recommender does not answer in time visitors see the bestsellers.
// PATIENCE=300 node shop.mjs RECSYS_ADDRESS PROTOS_FOLDER PORT BESTSELLER [BESTSELLER...]
import http from 'node:http';
import { connect } from './recsys.mjs';

const [address, protos, port, ...bestsellers] = process.argv.slice(2);
const recsys = connect(address, protos, { deadline: Number(process.env.PATIENCE ?? 300) });
const soldOut = new Set();

const answers = {
  // What goes well with what a visitor looked at: GET /next?seen=5&seen=12
  async 'GET next'(_, query) {
    const request = {
      history: query.getAll('seen'), k: 4, exclude_seen: true, exclude: [...soldOut], read_mask: { paths: ['items.item_id'] },
    };
    const next = await recsys.recommendOrElse(request, () => bestsellers);
    return { items: next.ids, source: next.version ?? 'bestsellers' };
  },

  // A visitor looked at an item: POST /seen/u7/5
  'POST seen': ([user, item]) => recsys.record(user, item),

  // The stock of an item is another: PUT /stock/5/0. Other backends ask for it by a condition on "stock".
  'PUT stock'([item, pieces]) {
    if (Number(pieces) > 0) soldOut.delete(item);
    else soldOut.add(item);
    return recsys.upsert([{ item_id: item, attributes: { stock: pieces } }]);
  },
};

const server = http.createServer(async (request, response) => {
  const reply = (status, body) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  try {
    const url = new URL(request.url, 'http://localhost');
    const [name, ...rest] = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    const answer = answers[`${request.method} ${name}`];
    if (answer) reply(200, await answer(rest, url.searchParams));
    else reply(404, {});
  } catch (error) {
    reply(502, { error: error.message });
  }
});
server.listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
