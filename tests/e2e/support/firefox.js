import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

import { PATIENCE_MS, answer, cheapMedia } from './browser.js';
import { Screen } from './screen.js';

const executablePath = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

const PREFERENCES = {
  // A test picture and a tone, without a question.
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  // A machine that only has a loopback interface gathers no other candidates.
  'media.peerconnection.ice.loopback': true,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'app.normandy.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  // A test closes pages that would ask.
  'dom.disable_beforeunload': true,
};

/** Firefox over WebDriver BiDi, with a fake camera and microphone, and a screen that it can share. `close` also removes its home. */
export async function launchFirefox(preferences = {}) {
  const screen = await Screen.start();
  const home = await mkdtemp(join(tmpdir(), 'signalpost-firefox-'));
  const firefox = await puppeteer.launch({
    ...{ browser: 'firefox', executablePath, headless: false, protocolTimeout: PATIENCE_MS },
    extraPrefsFirefox: { ...PREFERENCES, ...preferences },
    env: { ...process.env, HOME: home, DISPLAY: screen.display },
  });
  return {
    version: () => firefox.version(),
    /** A page in a window and a profile of its own: in a tab behind another, it would be slowed down. */
    page: async (viewport = { width: 900, height: 700 }) => {
      const page = await (await firefox.createBrowserContext()).newPage({ type: 'window' });
      page.setDefaultTimeout(PATIENCE_MS);
      await page.setViewport(viewport);
      return page;
    },
    close: async () => {
      await firefox.close();
      await rm(home, { recursive: true, force: true });
      await screen.stop();
    },
  };
}

/** A page in Firefox (Puppeteer) or in Chromium (Playwright), with verbs that are the same for both. */
export class Visitor {
  /** What the page wrote to its console as an error or a warning, and what it threw. @type {string[]} */
  noise = [];

  constructor(page, isFirefox) {
    Object.assign(this, { page, isFirefox });
    page.on('console', (message) => ['error', 'warn', 'warning'].includes(message.type()) && this.noise.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.noise.push(`thrown: ${error.message}`));
  }

  /** Somebody at the form. @param {Awaited<ReturnType<typeof launchFirefox>> | import('playwright-core').Browser} browser */
  static async at(browser, url) {
    const isFirefox = 'page' in browser;
    const page = isFirefox ? await browser.page() : await (await browser.newContext({ viewport: { width: 900, height: 700 } })).newPage();
    const visitor = new Visitor(page, isFirefox);
    for (const script of [answer, cheapMedia]) await (isFirefox ? page.evaluateOnNewDocument(script) : page.addInitScript(script));
    await page.goto(url);
    return visitor;
  }

  evaluate(script, argument) {
    return this.page.evaluate(script, argument);
  }

  /** Waits until this is true in the page, and resolves with what it was. */
  async until(script, argument) {
    const timeout = PATIENCE_MS;
    const found = this.isFirefox ? await this.page.waitForFunction(script, { timeout }, argument) : await this.page.waitForFunction(script, argument, { timeout });
    return found.jsonValue();
  }

  /** As a user does: with a click that the browser trusts. */
  click(id) {
    return this.page.locator(`[data-testid=${id}]`).click();
  }

  async say(text) {
    await this.page.locator('[data-testid=chat-input]').fill(text);
    await this.click('chat-send');
  }

  reload() {
    return this.page.reload();
  }

  async close() {
    await (this.isFirefox ? this.page.browserContext() : this.page.context()).close();
  }
}
