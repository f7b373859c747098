import { createServer, request } from 'node:http';
import { once } from 'node:events';

/** A proxy that caches the first response to each GET of the API and repeats it, whatever its `Cache-Control` says. */
export class CachingProxy {
  /** The number of polls that were answered from the cache. */
  repeated = 0;

  /** @param {string} base of the server @param {{ ignoresQuery?: boolean }} [options] */
  static async start(base, { ignoresQuery = false } = {}) {
    const proxy = new CachingProxy();
    const kept = new Map();
    proxy.server = createServer((asked, answer) => {
      const key = asked.method === 'GET' && asked.url.includes('/messages') && (ignoresQuery ? asked.url.split('?')[0] : asked.url);
      if (key && kept.has(key)) {
        proxy.repeated += 1;
        const { headers, body } = kept.get(key);
        return void answer.writeHead(200, headers).end(body);
      }
      const upstream = request(new URL(asked.url, base), { method: asked.method, headers: asked.headers }, (came) => {
        const parts = [];
        came.on('data', (part) => parts.push(part));
        came.on('end', () => {
          if (key && came.statusCode === 200) kept.set(key, { headers: came.headers, body: Buffer.concat(parts) });
          answer.writeHead(came.statusCode, came.headers).end(Buffer.concat(parts));
        });
      });
      upstream.on('error', () => answer.destroy());
      answer.on('close', () => upstream.destroy());
      asked.pipe(upstream);
    });
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    proxy.base = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
