import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

/** A server on a free port. `handler` is that of `node:http`. */
export async function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => { server.closeAllConnections(); server.close(); };
  return { base: `http://127.0.0.1:${server.address().port}`, stop };
}

/**
 * A site on another origin, with a page that uses our client.
 *
 * @param {Record<string, string>} [scripts] by path
 */
export const site = (scripts = {}) => listen(async ({ url }, response) => {
  const file = url.match(/^\/client\/([a-z0-9/-]+\.js)$/)?.[1];
  const script = file ? await readFile(new URL(`../../../web/client/${file}`, import.meta.url)) : scripts[url];
  response.writeHead(200, { 'Content-Type': script ? 'text/javascript' : 'text/html' }).end(script ?? '<!doctype html><title>app</title>');
});
