import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { Screen } from './screen.js';

const DRIVER = process.env.WEBKIT_DRIVER ?? 'WebKitWebDriver';
const BROWSER = process.env.WEBKIT ?? `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-4.1/MiniBrowser`;

/** WebKitGTK, over WebDriver: https://www.w3.org/TR/webdriver2. One page. */
export class WebKit {
  static async start() {
    const screen = await Screen.start();
    const port = await freePort();
    const driver = spawn(DRIVER, [`--port=${port}`], { stdio: 'ignore', env: { ...process.env, DISPLAY: screen.display, WEBKIT_DISABLE_COMPOSITING_MODE: '1' } });
    process.once('exit', () => driver.kill('SIGKILL'));
    const webkit = Object.assign(new WebKit(), { driver, screen, base: `http://127.0.0.1:${port}` });
    const ended = once(driver, 'exit').then(([code, signal]) => { throw new Error(`${DRIVER} ended with ${code ?? signal} before it answered at port ${port}`); });
    await Promise.race([ended, eventually(() => webkit.#ask('GET', '/status').catch(() => null), `${DRIVER} answers`)]);
    ended.catch(() => {});
    const options = { binary: BROWSER, args: ['--automation', '--enable-media-stream=true', '--enable-webrtc=true'] };
    const { sessionId } = await webkit.#ask('POST', '/session', { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } } });
    webkit.session = `/session/${sessionId}`;
    await webkit.#ask('POST', `${webkit.session}/timeouts`, { script: 60_000 });
    return webkit;
  }

  async #ask(method, path, body) {
    const response = await fetch(this.base + path, { method, headers: { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) });
    const { value } = await response.json();
    if (value?.error) throw new Error(`${value.error}: ${value.message}`);
    return value;
  }

  open(url) {
    return this.#ask('POST', `${this.session}/url`, { url });
  }

  /** Runs a function in the page, and resolves with what it returns or resolves with. */
  async evaluate(run, ...values) {
    const script = `const done = arguments[0]; Promise.resolve().then(() => (${run})(...${JSON.stringify(values)})).then((value) => done({ value }), (error) => done({ error: String(error.stack || error) }));`;
    const { value, error } = await this.#ask('POST', `${this.session}/execute/async`, { script, args: [] });
    if (error) throw new Error(error);
    return value;
  }

  /** Waits until this is true in the page. */
  until(run, ...values) {
    return eventually(() => this.evaluate(run, ...values), `${run}`);
  }

  async #element(selector) {
    return Object.values(await this.#ask('POST', `${this.session}/element`, { using: 'css selector', value: selector }))[0];
  }

  async click(selector) {
    await this.#ask('POST', `${this.session}/element/${await this.#element(selector)}/click`, {});
  }

  async stop() {
    await this.#ask('DELETE', this.session);
    const ended = once(this.driver, 'exit');
    this.driver.kill();
    await ended;
    await this.screen.stop();
  }
}
