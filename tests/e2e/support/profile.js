import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { ALONE, CAMERA, FLAGS, executablePath, patient } from './browser.js';

/**
 * In place of a browser, for one visitor: with a profile on the disk. Playwright's contexts are private windows, which install nothing and have
 * no quota.
 *
 * @param {import('node:test').TestContext} t removes the profile
 */
export async function onDisk(t) {
  const profile = await mkdtemp(join(tmpdir(), 'profile-'));
  t.after(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  return patient({ newContext: (options) => chromium.launchPersistentContext(profile, { ...options, executablePath, args: [...FLAGS, ALONE, ...CAMERA] }) });
}
