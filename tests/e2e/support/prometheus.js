import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PATIENCE_MS } from './browser.js';
import { freePort } from './free-port.js';
import { glance } from './glance.js';

/** A real Prometheus that scrapes one server five times a second. */
export class Prometheus {
  static async start(target) {
    const folder = await mkdtemp(join(tmpdir(), 'signalpost-prometheus-'));
    const port = await freePort();
    const config = { scrape_configs: [{ job_name: 'signalpost', scrape_interval: '200ms', scrape_timeout: '200ms', static_configs: [{ targets: [target] }] }] };
    // JSON is YAML.
    await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const args = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'];
    const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    process.once('exit', () => child.kill('SIGKILL'));
    const gone = once(child, 'exit').then(([code]) => { throw new Error(`prometheus ended with ${code}`); });
    gone.catch(() => {});
    const prometheus = Object.assign(new Prometheus(), { child, folder, base: `http://127.0.0.1:${port}` });
    const ready = async () => { while (!await fetch(`${prometheus.base}/-/ready`).then(({ ok }) => ok, () => false)) await glance(); };
    await Promise.race([ready(), gone]);
    return prometheus;
  }

  /** The current values of a query. */
  async query(query) {
    const answer = await (await fetch(`${this.base}/api/v1/query?${new URLSearchParams({ query })}`)).json();
    if (answer.status !== 'success') throw new Error(`${query}: ${answer.error}`);
    return answer.data.result.map(({ value }) => Number(value[1]));
  }

  /** Resolves when a query has a value above zero. */
  async has(query) {
    for (const started = Date.now(); Date.now() - started < PATIENCE_MS;) {
      if ((await this.query(query)).some((value) => value > 0)) return;
      await glance();
    }
    throw new Error(`${query} shows nothing but ${await this.query(query)}`);
  }

  async stop() {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
    await rm(this.folder, { recursive: true });
  }
}
