import { launch } from '../support/browser.js';
import { Server } from '../support/server.js';
import { ends, form, lacking, networkTest, refused } from './before-and-after.js';
import { files } from './files.js';
import { friends } from './friends.js';
import { around, machines, many, trouble, two } from './in-the-call.js';
import { passphrase, sealed } from './sealed.js';

/**
 * Leads a page through some states, and yields each with its name: the caller, which looks at it then, leaves the page as it was.
 *
 * @typedef {(world: World) => AsyncGenerator<[string, import('playwright-core').Page]>} Scene
 * @typedef {{ browser: import('playwright-core').Browser, server: Server, friends: Awaited<ReturnType<typeof friends>> }} World
 */

export const SCENES = { form, lacking, refused, two, many, around, files, sealed, passphrase, machines, trouble, ends, networkTest };

/** A browser, a server, and company. */
export async function world() {
  const [server, browser] = await Promise.all([Server.start(['--wait-max-ms', '5000']), launch()]);
  const company = await friends(browser, server.base);
  return { server, browser, friends: company, end: async () => { await browser.close(); await server.stop(); } };
}
