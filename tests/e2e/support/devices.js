/**
 * Ends what a browser captures as pulling a plug does: the process that reads its cameras (`video_capture`) or
 * microphones (`audio`) dies, and their tracks end.
 *
 * @param {import('playwright-core').Browser} browser with nobody else in it
 */
export async function unplug(browser, service) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  for (const { id } of processInfo.filter(({ type }) => type.startsWith(service))) process.kill(id, 'SIGKILL');
}

/**
 * What somebody sets for a page in the browser's settings of a site: a function of the permission's name and its setting.
 * It holds as long as the session does.
 */
export async function permissions(page) {
  const session = await page.context().newCDPSession(page);
  const { targetInfo: { browserContextId } } = await session.send('Target.getTargetInfo');
  const browser = await page.context().browser().newBrowserCDPSession();
  const { origin } = new URL(page.url());
  return (name, setting) => browser.send('Browser.setPermission', { permission: { name }, setting, origin, browserContextId });
}

/**
 * For `addInitScript`: devices whose labels are in `window.unplugged` are not there for the page. Chromium's fake ones
 * cannot be pulled out.
 */
export function pullable() {
  window.unplugged = ['(none)'];
  const { mediaDevices: devices } = navigator;
  const [list, open] = [devices.enumerateDevices.bind(devices), devices.getUserMedia.bind(devices)];
  const isThere = ({ label }) => !window.unplugged.includes(label);
  devices.enumerateDevices = async () => (await list()).filter(isThere);
  devices.getUserMedia = async (constraints) => {
    const wanted = constraints.video?.deviceId?.exact;
    const there = (await devices.enumerateDevices()).some(({ deviceId }) => deviceId === wanted);
    if (wanted && !there) throw new DOMException('', 'NotFoundError');
    return open(constraints);
  };
}
