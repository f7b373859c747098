import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { state } from './support/browser.js';
import { AT_PATH } from './support/catalogue.js';
import { onDisk } from './support/profile.js';
import { Proxy } from './support/proxies.js';
import { Server } from './support/server.js';

// Chromium installs the page as an app: without a service worker, which would have nothing to do (docs/page.md).

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

/** What Chromium makes of the page's manifest. */
async function examine(t, base, options = {}) {
  const page = await (await (await onDisk(t)).newContext(options)).newPage();
  await page.goto(`${base}/?room=tea`);
  await state(page, 'lobby');
  const session = await page.context().newCDPSession(page);
  const { url, data, errors } = await session.send('Page.getAppManifest');
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  const manifest = JSON.parse(data);
  const icons = await page.evaluate((all) => Promise.all(all.map(async ({ src, type }) => {
    const response = await fetch(src);
    const image = Object.assign(new Image(), { src });
    await image.decode();
    return { type: response.headers.get('content-type'), said: type, width: image.naturalWidth, height: image.naturalHeight };
  })), manifest.icons.map((icon) => ({ ...icon, src: new URL(icon.src, url).href })));
  const type = await page.evaluate(async (url) => (await fetch(url)).headers.get('content-type'), url);
  await page.context().close();
  return { url, errors, installabilityErrors, manifest, icons, type };
}

function installable(base, { url, errors, installabilityErrors, manifest, icons, type }) {
  assert.deepEqual([errors, installabilityErrors], [[], []]);
  assert.match(type, /^application\/manifest\+json/);
  for (const member of ['start_url', 'scope']) assert.equal(new URL(manifest[member], url).href, `${base}/`);
  assert.equal(manifest.display, 'standalone');
  for (const [at, { sizes, purpose }] of manifest.icons.entries()) {
    const { type, said, width, height } = icons[at];
    assert.equal(type, said);
    if (sizes !== 'any') assert.equal(`${width}x${height}`, sizes, `${purpose} ${sizes}`);
  }
  const of = (purpose) => manifest.icons.filter((icon) => icon.purpose === purpose && icon.type === 'image/png').map(({ sizes }) => sizes);
  assert.deepEqual([of(undefined), of('maskable')], [['192x192', '512x512'], ['192x192', '512x512']]);
}

test('the page can be installed', async (t) => installable(server.base, await examine(t, server.base)));

for (const [how, { recipe, flags }] of Object.entries(AT_PATH)) {
  test(`and below a path that is ${how}`, async (t) => {
    const below = await Server.start(['--trusted-proxy', '127.0.0.1', ...flags]);
    const proxy = await Proxy.start(recipe, new URL(below.base).host);
    const base = `${proxy.base}/signal`;
    const found = await examine(t, base, { ignoreHTTPSErrors: true });
    // Chromium does not install from a certificate that it does not trust.
    installable(base, { ...found, installabilityErrors: found.installabilityErrors.filter(({ errorId }) => errorId !== 'not-from-secure-origin') });
    await proxy.stop();
    await below.stop();
  });
}
