import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const FILES = {
  '/': ['page/index.html', 'text/html; charset=utf-8'],
  '/main.js': ['page/main.js', 'text/javascript'],
};

/**
 * Serves the page, and `/lobby.json`: where people wait, and the id of this program there. Others in the room may call
 * themselves a lobby, but only the server gives ids, so the page obeys this one.
 *
 * @returns {Promise<string>} the page's URL
 */
export async function serve({ port, address }, describe) {
  const files = new Map();
  for (const [url, [name, type]] of Object.entries(FILES)) files.set(url, { type, body: await readFile(new URL(name, import.meta.url)) });
  const site = createServer(({ url }, response) => {
    const { pathname } = new URL(url, 'http://site.invalid');
    const file = pathname === '/lobby.json' ? { type: 'application/json', body: JSON.stringify(describe()) } : files.get(pathname);
    if (!file) return void response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': file.type, 'Cache-Control': 'no-store' }).end(file.body);
  });
  site.listen(port, address);
  // Rejects if the port is taken.
  await once(site, 'listening');
  return `http://${address.includes(':') ? `[${address}]` : address}:${site.address().port}/`;
}
