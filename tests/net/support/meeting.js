import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';

import { glance } from '../../e2e/support/glance.js';
import { textOf, withText } from '../../e2e/support/png.js';
import { words } from '../../e2e/support/words.js';
import { Caller } from './caller.js';
import { Network } from './network.js';
import { PROXIES, needsRelay, startProxy, startRelay, startServer } from './services.js';

/** Calls connect within seconds or never. The limits leave room for a busy machine. */
export const PATIENCE_S = 30;
export const NEVER_S = 12;

/** The path of the media, from the candidate pairs of both browsers. */
function way([ann, ben]) {
  const relays = [ann, ben].filter(({ local }) => local === 'relay').map(({ protocol }) => protocol);
  if (relays.length > 0) return `relayed, ${[...new Set(relays)].join(' and ')}`;
  const kinds = [ann, ben].flatMap(({ local, remote }) => [local, remote]);
  return `${kinds.includes('host') ? 'direct' : 'through the NATs'}, ${ann.protocol}`;
}

const pair = ({ local, remote, protocol }) => `${local} – ${remote} (${protocol})`;

/** Ann and Ben, each behind a NAT. They can reach a server and, if they are told of one, a relay. */
export class Meeting {
  /**
   * Sets everything up, runs `work`, and always cleans up.
   *
   * @template Result
   * @param {object} options as for a network, and
   * @param {string[]} options.told the kinds of ICE servers that the callers are told of
   * @param {(meeting: Meeting) => Promise<Result>} work
   */
  static async hold({ told, flags, ...options }, work) {
    const meeting = Object.assign(new Meeting(), { told, network: await Network.make(options) });
    const { hosts } = meeting.network;
    try {
      const proxy = PROXIES[options.out];
      await Promise.all([needsRelay(told) && startRelay(hosts), startServer(hosts, told, { flags }), proxy && startProxy(hosts)]);
      [meeting.ann, meeting.ben] = await Promise.all([Caller.arrive(hosts.ann, 'Ann', { proxy }), Caller.arrive(hosts.ben, 'Ben', { proxy })]);
      return await work(meeting);
    } finally {
      await Promise.all([meeting.ann?.leave(), meeting.ben?.leave()]);
      await meeting.network.remove();
    }
  }

  /** Ann waits in the room, and Ben clicks join. */
  async begin() {
    await this.ann.wait();
    await this.ben.join();
  }

  /** Resolves when each sees the other. */
  async connected(seconds = PATIENCE_S) {
    const [seen, other] = await Promise.all([this.ben.sees(seconds), this.ann.sees(seconds)]);
    if (seen === null || other === null) throw new Error(`no picture after ${seconds} s: ${await this.ben.says()}`);
    return seen;
  }

  /** The row of a call that connects. ICE may replace its first pair with a better one, so this waits for the `expected` path. */
  async row(network, expected, seconds) {
    const seen = await this.connected(seconds);
    const messages = await this.messages();
    const paths = await this.paths((both) => way(both) === expected);
    return { network, told: this.told, media: way(paths), cells: [...paths.map(pair), `${seen.toFixed(1)} s`, String(messages)] };
  }

  /** The candidate pairs of both sides: as soon as they are as wanted, or the last ones seen after some time. */
  async paths(wanted) {
    let paths;
    for (const started = Date.now(); Date.now() - started < PATIENCE_S * 1000;) {
      paths = await Promise.all([this.ann.path(), this.ben.path()]);
      if (paths.every(Boolean) && wanted(paths)) break;
      await glance();
    }
    return paths;
  }

  /** The row of a call that cannot connect. */
  async failure(network) {
    const seen = await Promise.all([this.ann.sees(NEVER_S), this.ben.sees(NEVER_S)]);
    const media = seen.every((seconds) => seconds === null) ? 'does not connect' : 'connects';
    return { network, told: this.told, media, cells: ['–', '–', '–', String(await this.messages())] };
  }

  /** Compares the picture in the documents, of Ann's page, which says how it is connected. */
  async picture() {
    const { page } = this.ann;
    await page.setViewportSize({ width: 1000, height: 820 });
    await page.waitForFunction(() => document.querySelector('[data-testid=ways]')?.textContent.startsWith('Relayed'));
    const shown = await words(page);
    const path = new URL('../../../docs/relayed.png', import.meta.url);
    if (process.env.UPDATE_DOCS) await writeFile(path, withText(await page.screenshot(), shown));
    assert.equal(textOf(await readFile(path)), shown, 'docs/relayed.png shows another page: UPDATE_DOCS=1 updates it; look at it');
  }

  /** The number of messages that the server has accepted. */
  async messages() {
    const figures = await this.ann.page.evaluate(() => fetch('/metrics').then((answer) => answer.text()));
    return Number(figures.match(/messages_accepted_total (\d+)/)[1]);
  }
}
