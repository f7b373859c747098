import { PATIENCE_MS } from './browser.js';
import { glance } from './glance.js';

/** @param {() => Promise<unknown> | unknown} look @param {string | (() => string)} condition in words, or its source */
export async function eventually(look, condition) {
  for (const started = Date.now(); !await look(); await glance()) {
    if (Date.now() - started > PATIENCE_MS) throw new Error(`it never came to this: ${typeof condition === 'string' ? condition : condition()}`);
  }
}
