import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A proxy as companies have them: every `Upgrade` is refused, and whole answers are buffered before they are passed on. */
const configuration = (port, upstream, folder) => `
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
  server {
    listen 127.0.0.1:${port};
    if ($http_upgrade) { return 403; }
    location / { proxy_pass http://${upstream}; proxy_buffering on; }
  }
}
`;

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
    const outcome = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false, () => false)]).catch(() => false);
    socket.destroy();
    if (outcome) return;
    await new Promise(setImmediate);
  }
}

export class Nginx {
  static async start(upstream) {
    const folder = await mkdtemp(join(tmpdir(), 'signalpost-nginx-'));
    const port = await freePort();
    await writeFile(join(folder, 'nginx.conf'), configuration(port, upstream, folder));
    const path = `${process.env.PATH}:/usr/sbin`;
    const child = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'inherit', env: { ...process.env, PATH: path } });
    const gone = once(child, 'exit').then(([code]) => { throw new Error(`nginx ended with ${code}`); });
    await Promise.race([listening(port), gone]);
    gone.catch(() => {});
    return Object.assign(new Nginx(), { child, folder, base: `http://127.0.0.1:${port}` });
  }

  async stop() {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
    await rm(this.folder, { recursive: true });
  }
}
