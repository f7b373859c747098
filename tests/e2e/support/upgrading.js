import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { certify } from './proxies.js';

/** The constant for WebSocket handshakes (RFC 6455, section 1.3). */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A server that accepts WebSockets, to show that a proxy blocks them. */
export async function startUpgrading({ secure = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'signalpost-upgrading-'));
  const server = secure ? createSecureServer(await certify(folder)) : createServer();
  await rm(folder, { recursive: true });
  const sockets = new Set();
  server.on('request', (_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>upgrading</title>'));
  server.on('upgrade', ({ headers }, socket) => {
    const accept = createHash('sha1').update(headers['sec-websocket-key'] + MAGIC).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.on('error', () => {});
    sockets.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { base: `${secure ? 'https' : 'http'}://127.0.0.1:${server.address().port}`, stop };
}

/** Whether a page of that server can open a WebSocket, in a browser with these options. */
export async function upgrades(browser, browsing, { base }) {
  const context = await browser.newContext(browsing);
  const page = await context.newPage();
  await page.goto(base);
  const opened = await page.evaluate(() => new Promise((resolve) => {
    const socket = new WebSocket(location.href.replace(/^http/, 'ws'));
    socket.onopen = () => resolve(true);
    socket.onclose = () => resolve(false);
  }));
  await context.close();
  return opened;
}
