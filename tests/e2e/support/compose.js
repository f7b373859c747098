import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

// Comes with @redocly/cli.
import { load } from 'js-yaml';

import { glance } from './glance.js';
import { freePort } from './free-port.js';
import { binary } from './server.js';

const run = promisify(execFile);
const EXAMPLE = new URL('../../../examples/compose/', import.meta.url).pathname;
const CONTAINERFILE = new URL('../../../deploy/Containerfile', import.meta.url);

/** The services of examples/compose as processes on loopback, with the commands, environments and files of compose.yaml. */
export class Compose {
  #folder;
  /** The text of deploy/Containerfile. */
  #image;
  /** Child processes, by service. */
  #children = new Map();
  /** By service; resolves when it is healthy. @type {Map<string, Promise<void>>} */
  #healthy = new Map();

  /** @param {import('node:test').TestContext} t the services end with this test */
  static async start(t) {
    const compose = new Compose();
    const folder = compose.#folder = await mkdtemp(join(tmpdir(), 'signalpost-compose-'));
    t.after(() => compose.#stop());
    const names = ['one', 'two', 'redis', 'https', 'turn'];
    compose.ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()])));
    compose.#image = await readFile(CONTAINERFILE, 'utf8');
    await cp(EXAMPLE, folder, { recursive: true });
    await mkdir(join(folder, 'tmp'));
    const readme = await readFile(join(folder, 'README.md'), 'utf8');
    await run('bash', ['-euc', /<!-- secrets -->\n```sh\n(.*?)```/s.exec(readme)[1]], { cwd: folder });
    compose.env = Object.fromEntries((await readFile(join(folder, '.env'), 'utf8')).split('\n').filter((line) => /^\w/.test(line)).map((line) => line.split('=')));
    compose.services = load(interpolate(await readFile(join(folder, 'compose.yaml'), 'utf8'), compose.env)).services;
    await Promise.all(Object.keys(compose.services).map((name) => compose.#start(name)));
    return compose;
  }

  #start(name) {
    if (!this.#healthy.has(name)) this.#healthy.set(name, this.#startAfterOthers(name));
    return this.#healthy.get(name);
  }

  async #startAfterOthers(name) {
    const service = this.services[name];
    await Promise.all(Object.keys(service.depends_on ?? {}).map((other) => this.#start(other)));
    for (const volume of service.volumes ?? []) await this.#mount(volume);
    const { command, check } = this.#commands(name, service);
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, ...this.#environment(name, service) };
    const child = spawn(command[0], command.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.set(name, child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { output += text; });
    while (!await succeeds(check, env)) {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${output}`);
      await glance();
    }
  }

  /** What a service runs, and its health check. */
  #commands(name, { command = [], entrypoint = [], healthcheck, build }) {
    const { ports } = this;
    if (build) return { command: [binary], check: [binary, ...list(/HEALTHCHECK.* CMD (.*)/, this.#image).slice(1)] };
    const words = [...entrypoint, ...(typeof command === 'string' ? command.split(' ') : command)];
    const [how, ...test] = healthcheck.test;
    const check = how === 'CMD-SHELL' ? ['sh', '-c', ...test] : test;
    // Options that replace the isolation of containers.
    const local = {
      redis: ['--port', ports.redis, '--bind', '127.0.0.1', '--dir', this.#folder],
      coturn: [
        '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${ports.turn}`, '--allow-loopback-peers',
        '--allowed-peer-ip=127.0.0.1', `--userdb=${this.#folder}/db`, `--pidfile=${this.#folder}/pid`,
      ],
    };
    const port = { redis: ['-p', ports.redis], coturn: ['-p', ports.turn] }[name] ?? [];
    const program = name === 'coturn' ? ['turnserver'] : [];
    return {
      command: [...program, ...words.map((word) => this.#local(word)), ...(local[name] ?? [])],
      check: [check[0], ...port, ...check.slice(1).map((word) => this.#local(word))],
    };
  }

  #environment(name, { environment = {}, build }) {
    const own = Object.entries(environment).map(([variable, value]) => [variable, this.#local(value)]);
    const [, listen] = build ? /ENV SIGNALPOST_LISTEN=0\.0\.0\.0:(\d+)/.exec(this.#image) : [];
    if (build && listen !== '8080') throw new Error(`the image listens on ${listen}, compose.yaml says 8080`);
    return { ...Object.fromEntries(own), ...(build && { SIGNALPOST_LISTEN: `127.0.0.1:${this.ports[name]}`, SIGNALPOST_LOG: 'warn' }) };
  }

  /** Copies a mounted file to its local path. */
  async #mount(volume) {
    const [source, target] = volume.split(':');
    if (!source.startsWith('.') || source === './tls') return;
    const copy = this.#local(target);
    await mkdir(dirname(copy), { recursive: true });
    await writeFile(copy, this.#local(await readFile(join(EXAMPLE, source), 'utf8')));
  }

  /** Replaces addresses and paths of containers in a text by local ones. */
  #local(text) {
    const { ports } = this;
    const places = {
      'redis:6379': `127.0.0.1:${ports.redis}`,
      '172.28.0.11:8080': `127.0.0.1:${ports.one}`,
      '172.28.0.12:8080': `127.0.0.1:${ports.two}`,
      '172.28.0.0/24': '127.0.0.0/8',
      'bind :443 ': `bind 127.0.0.1:${ports.https} `,
      '127.0.0.1:443': `127.0.0.1:${ports.https}`,
      ':3478': `:${ports.turn}`,
      ...Object.fromEntries(['/haproxy.sh', '/deploy/', '/tls/', '/tmp/', '/etc/signalpost/'].map((path) => [path, this.#folder + path])),
    };
    const any = new RegExp(Object.keys(places).map((place) => place.replaceAll('.', '\\.')).join('|'), 'g');
    return text.replace(any, (place) => places[place]);
  }

  /** Stops a service as `docker compose stop` does. */
  async end(name) {
    const child = this.#children.get(name);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  async #stop() {
    await Promise.all([...this.#children.keys()].map((name) => this.end(name)));
    await rm(this.#folder, { recursive: true });
  }
}

/** The JSON list that a pattern captures. */
const list = (pattern, text) => JSON.parse(pattern.exec(text)[1]);

/** Expands `${NAME}`, `${NAME:-default}` and `${NAME:?message}` as Compose does. */
function interpolate(text, env) {
  return text.replace(/\$\{(\w+)(?::([?-])([^}]*))?\}/g, (_, name, operator, rest) => {
    const value = env[name] || (operator === '-' ? rest : '');
    if (!value) throw new Error(`${name}: ${operator === '?' ? rest : 'is not set'}`);
    return value;
  });
}

const succeeds = ([program, ...args], env) => run(program, args.map(String), { env, timeout: 5_000 }).then(() => true, () => false);
