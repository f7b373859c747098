import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * A proxy that sends everybody on to a server, and keeps the method (RFC 9110, section 15.4.8).
 *
 * @param {import('node:test').TestContext} t
 * @param {string} to the base of the server's URLs
 */
export async function redirecting(t, to) {
  const methods = [];
  const proxy = createServer((request, response) => {
    methods.push(request.method);
    request.resume().on('end', () => response.writeHead(307, { location: `${to}${request.url}` }).end());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  return { base: `http://127.0.0.1:${proxy.address().port}`, methods };
}
