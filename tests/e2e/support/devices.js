/**
 * Ends a browser's captures, as unplugging the device does: kills the process that reads cameras (`video_capture`) or
 * microphones (`audio`), which ends their tracks.
 *
 * @param {import('playwright-core').Browser} browser must not be shared with other pages
 */
export async function unplug(browser, service) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  for (const { id } of processInfo.filter(({ type }) => type.startsWith(service))) process.kill(id, 'SIGKILL');
}

/**
 * Changes a page's permissions as in the browser's site settings. Resolves with a function of the permission's name and its
 * setting, which lasts as long as the session.
 */
export async function permissions(page) {
  const session = await page.context().newCDPSession(page);
  const { targetInfo: { browserContextId } } = await session.send('Target.getTargetInfo');
  const browser = await page.context().browser().newBrowserCDPSession();
  const { origin } = new URL(page.url());
  return (name, setting) => browser.send('Browser.setPermission', { permission: { name }, setting, origin, browserContextId });
}

/**
 * For `addInitScript`: hides devices whose labels are in `window.unplugged` from the page, because Chromium's fake devices
 * cannot be unplugged. The kind in `window.busy` is in use elsewhere.
 */
export function pullable() {
  window.unplugged = ['(none)'];
  const { mediaDevices: devices } = navigator;
  const [list, open] = [devices.enumerateDevices.bind(devices), devices.getUserMedia.bind(devices)];
  const isThere = ({ label }) => !window.unplugged.includes(label);
  devices.enumerateDevices = async () => (await list()).filter(isThere);
  devices.getUserMedia = async (constraints) => {
    const there = await devices.enumerateDevices();
    for (const kind of ['audio', 'video']) {
      if (!constraints[kind]) continue;
      const found = there.filter((device) => device.kind === `${kind}input`);
      const wanted = constraints[kind].deviceId?.exact;
      if (found.length === 0 || (wanted && !found.some(({ deviceId }) => deviceId === wanted))) throw new DOMException('', 'NotFoundError');
      if (window.busy === kind) throw new DOMException('', 'NotReadableError');
    }
    return open(constraints);
  };
}
