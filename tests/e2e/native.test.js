import { after, before, test } from 'node:test';

import { launch, state } from './support/browser.js';
import { call, chats } from './support/native-call.js';
import { LIBRARIES } from './support/native.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

for (const library of Object.keys(LIBRARIES)) {
  for (const first of ['page', 'native']) {
    for (const options of [[], ['own'], ['early'], ['own', 'early']]) {
      // It cannot send candidates before it has the answer: see native/peer.js.
      if (library === 'libdatachannel' && first === 'page' && options.includes('early')) continue;
      test(`${library}, ${first} first, ${options.join(' and ') || 'as the page does'}`, () => call({ server, browser }, library, first, { options }, async (page, native) => {
        await state(page, 'connected');
        await chats(page, native);
      }));
    }
  }
}
