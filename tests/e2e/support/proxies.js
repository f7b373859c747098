import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A whole configuration of nginx around some servers. */
const aroundNginx = (servers, folder) => `
daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log ${folder}/error.log warn;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  ${servers}
}
`;

/** A proxy as companies have them: every `Upgrade` is refused, and whole answers are buffered before they are passed on. */
const STRICT = `
server {
  listen 127.0.0.1:8081;
  if ($http_upgrade) { return 403; }
  location / { proxy_pass http://127.0.0.1:8080; proxy_buffering on; }
}
`;

const deployed = (name) => readFile(new URL(`../../../deploy/${name}`, import.meta.url), 'utf8');

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

/** Resolves when somebody listens on the port. */
async function listening(port) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const connected = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (connected) return;
    await new Promise(setImmediate);
  }
}

/** A real proxy in front of a server, on a free port. */
export class Proxy {
  /** nginx with its defaults, but as strict as in companies. */
  static strict = (upstream) => Proxy.#nginx(STRICT, upstream);

  /** nginx with the file of `deploy/`. */
  static nginx = async (upstream) => Proxy.#nginx(await deployed('nginx.conf'), upstream);

  /** HAProxy with the file of `deploy/`. */
  static haproxy = async (upstream) => Proxy.#start(await deployed('haproxy.cfg'), upstream, (path) => ['haproxy', '-db', '-f', path], (text) => text);

  static #nginx(servers, upstream) {
    return Proxy.#start(servers, upstream, (path, folder) => ['nginx', '-c', path, '-p', folder], aroundNginx);
  }

  static async #start(text, upstream, command, around) {
    const folder = await mkdtemp(join(tmpdir(), 'signalpost-proxy-'));
    const port = await freePort();
    const ours = text.replaceAll('127.0.0.1:8080', upstream).replaceAll('127.0.0.1:8081', `127.0.0.1:${port}`);
    const path = join(folder, 'proxy.conf');
    await writeFile(path, around(ours, folder));
    const [program, ...args] = command(path, folder);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
    process.once('exit', () => child.kill('SIGKILL'));
    const gone = once(child, 'exit').then(([code]) => { throw new Error(`${program} ended with ${code}`); });
    await Promise.race([listening(port), gone]);
    gone.catch(() => {});
    return Object.assign(new Proxy(), { child, folder, base: `http://127.0.0.1:${port}` });
  }

  async stop() {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
    await rm(this.folder, { recursive: true });
  }
}
