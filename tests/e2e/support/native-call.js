import { heard, say, state, visit } from './browser.js';
import { Native } from './native.js';

let rooms = 0;

/** Connects the page and a native peer. The one that joins second offers. */
export async function call({ server, browser }, library, first, { options = [], media = 'both', prepare }, work) {
  const room = `call-${rooms += 1}`;
  let native, page;
  const joins = async () => { native = await Native.join(library, server.base, room, options); };
  try {
    if (first === 'native') await joins();
    page = await visit(browser, server.base, { room, name: 'Ann', media, prepare });
    if (first === 'page') {
      await state(page, 'waiting');
      await joins();
    }
    await work(page, native);
  } finally {
    await native?.end();
    await page?.context().close();
  }
}

let lines = 0;

/** Checks that chat messages arrive both ways. */
export async function chats(page, native) {
  const [mine, theirs] = [`from the page ${lines}`, `from the library ${lines += 1}`];
  native.do('say', theirs);
  await heard(page, theirs);
  await say(page, mine);
  await native.next('heard', { text: mine });
}
