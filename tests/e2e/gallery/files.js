import { state, visit } from '../support/browser.js';
import { holdWrites } from '../support/transfers.js';
import { SIZES } from './looks.js';

/** @import { Scene } from './scenes.js' */

const MEGABYTES = 1_000_000;
/** The first is so large that its third write, which is held, is not its last. */
const OFFERED = [
  ['a film from the harbour, in the evening.webm', 8 * MEGABYTES],
  ['تقرير 2026 – 报告 – with-a-rather-long-name-without-any-spaces-in-it.pdf', 2],
  ['tea.txt', 1],
];

/** In a page: drops files of zeros on the call. @param {[string, number][]} files names and sizes */
function drop(files) {
  const dataTransfer = new DataTransfer();
  for (const [name, size] of files) dataTransfer.items.add(new File([new Uint8Array(size)], name));
  for (const type of ['dragover', 'drop']) document.querySelector('#stage').dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
}

/** Waits until this many files in the list have this state, counted from 0. */
const has = (page, at, state) => page.locator(`[data-testid=file][data-state=${state}]`).nth(at).waitFor({ state: 'attached' });

/** @type {Scene} Files: nobody to send them to, offered, asked about, moving, and what became of them. */
export async function* files({ browser, server }) {
  const at = (name) => visit(browser, server.base, { room: 'files', name, media: 'none', viewport: SIZES.desktop, prepare: holdWrites });
  const open = (page) => page.getByTestId('files').click();
  const close = (page) => page.getByTestId('files-close').click();
  const ann = await at('Ann');
  await state(ann, 'waiting');
  await open(ann);
  await ann.getByTestId('files-why').waitFor();
  yield ['files-nobody', ann];
  await close(ann);
  const ben = await at('Ben');
  await open(ann);
  await ann.getByTestId('files-choose').and(ann.locator(':enabled')).waitFor();
  await ann.evaluate(drop, OFFERED);
  await has(ann, 2, 'offered');
  yield ['files-offered', ann];

  await ben.getByTestId('file-question-accept').first().click();
  await ben.waitForFunction(() => window.release);
  await ben.getByTestId('files-total').waitFor();
  yield ['file-question', ben];
  await open(ben);
  await has(ben, 0, 'receiving');
  yield ['files-moving', ben];

  await ben.evaluate(() => window.release());
  await has(ben, 0, 'done');
  await ben.getByTestId('file').filter({ hasText: 'tea' }).getByTestId('file-decline').click();
  await ann.getByTestId('file').filter({ hasText: 'pdf' }).getByTestId('file-cancel').click();
  await has(ben, 1, 'over');
  yield ['files-over', ben];
  await Promise.all([ann, ben].map((page) => page.context().close()));
}
