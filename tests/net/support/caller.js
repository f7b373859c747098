import { chromium } from 'playwright-core';

import { CAMERA, FLAGS, answer, enter, patient } from '../../e2e/support/browser.js';
import { SERVER, prepared } from './services.js';

/**
 * Records when the join was clicked, and when the first remote frame was shown. A closed connection leaves a black frame behind, so
 * only decoded frames count.
 */
const STOPWATCH = `
  addEventListener('click', ({ target }) => { if (target.closest('[data-testid=join]')) window.clicked = performance.now(); }, true);
  async function decoded() {
    const all = await Promise.all([...window.signalpost?.call.links.values() ?? []].map(({ pc }) => pc?.getStats()));
    return all.some((stats) => [...stats?.values() ?? []].some(({ kind, framesDecoded }) => kind === 'video' && framesDecoded > 0));
  }
  const watch = (video) => video.requestVideoFrameCallback(async (now) => {
    if (await decoded()) window.seen ??= now;
    else watch(video);
  });
  addEventListener('loadstart', ({ target }) => { if (target.dataset.testid === 'remote-video') watch(target); }, true);
`;

/** A person with a browser and a camera, on their own host. */
export class Caller {
  /**
   * @param {import('./host.js').Host} host
   * @param {{ proxy?: string }} [options]
   */
  static async arrive(host, name, { proxy } = {}) {
    const { folder } = await prepared();
    const browser = patient(await chromium.launch({
      executablePath: new URL('chromium.sh', import.meta.url).pathname,
      args: [...FLAGS, ...CAMERA],
      env: { ...process.env, SIGNALPOST_HOST: host.name, HOME: folder },
      proxy: proxy && { server: proxy },
    }));
    const page = await browser.newPage({ viewport: { width: 900, height: 700 } });
    page.on('pageerror', (error) => console.error(`${name}: ${error.stack}`));
    await page.addInitScript(STOPWATCH);
    await page.addInitScript(answer);
    return Object.assign(new Caller(), { browser, page, name });
  }

  async wait() {
    await enter(this.page, `https://${SERVER}/?room=tea&name=${this.name}`, { answers: false });
    await this.page.waitForFunction(() => document.body.dataset.state === 'waiting', null, { timeout: 60_000 });
    // The time of the person waiting starts when the other arrives.
    await this.page.evaluate(() => { window.clicked = undefined; });
  }

  /** Opens the page and clicks on join. */
  async join() {
    const { page } = this;
    await page.goto(`https://${SERVER}/?room=tea`);
    await page.getByTestId('name').fill(this.name);
    await page.getByTestId('join').click();
  }

  /** Resolves with the seconds from the click to the first remote frame, or with null after `seconds`. */
  async sees(seconds) {
    const seen = await this.page.waitForFunction(() => window.seen, null, { timeout: seconds * 1000 }).catch(() => null);
    return seen && this.page.evaluate(() => (window.seen - (window.clicked ?? 0)) / 1000);
  }

  /** When the first remote frame was shown, in milliseconds of the epoch. */
  firstFrameAt() {
    return this.page.evaluate(() => performance.timeOrigin + window.seen);
  }

  /** The status that the page shows. */
  says() {
    return this.page.getByTestId('status').textContent();
  }

  /** Resolves when the page sends a message of this type. */
  async said(type) {
    await this.page.locator(`[data-testid=wire-entry][data-direction=out][data-type=${type}]`).first().waitFor({ state: 'attached' });
  }

  /** The seat, and what identifies the connection (a new one has another number) and its ICE generation. */
  connection() {
    return this.page.evaluate(() => {
      const { room, call } = window.signalpost;
      const [{ pc }] = call.links.values();
      window.known ??= [];
      if (!window.known.includes(pc)) window.known.push(pc);
      return { seat: room.self.id, connection: window.known.indexOf(pc), ufrag: pc.localDescription.sdp.match(/ice-ufrag:(\S+)/)[1] };
    });
  }

  /** The selected candidate pair, from the browser's statistics: candidate types, local address, and the protocol of the first hop. */
  path() {
    return this.page.evaluate(async () => {
      const { pc } = [...window.signalpost.call.links.values()][0];
      const stats = await pc.getStats();
      const chosen = [...stats.values()].find(({ type }) => type === 'transport')?.selectedCandidatePairId;
      const pair = stats.get(chosen);
      const [local, remote] = [stats.get(pair?.localCandidateId), stats.get(pair?.remoteCandidateId)];
      return pair && { local: local.candidateType, address: local.address, remote: remote.candidateType, protocol: local.relayProtocol ?? local.protocol };
    });
  }

  leave() {
    return this.browser.close();
  }
}
