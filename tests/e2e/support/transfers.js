import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** In a page: files go into the browser's own storage, since nobody can answer a headless browser that asks where to save one. */
export function withoutPicker() {
  delete window.showSaveFilePicker;
}

/** In a page: the third write to disk waits until `release()`, or until `releaseAndHold()`, after which the third waits again. */
export function holdWrites() {
  delete window.showSaveFilePicker;
  let writes = 0;
  window.holdAgain = () => {
    writes = 0;
    window.release = undefined;
  };
  window.releaseAndHold = () => {
    const { release } = window;
    window.holdAgain();
    release();
  };
  const { write } = FileSystemWritableFileStream.prototype;
  FileSystemWritableFileStream.prototype.write = async function held(data) {
    writes += 1;
    if (writes === 3) await new Promise((resolve) => { window.release = resolve; });
    return write.call(this, data);
  };
}

export const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');

export async function hashOf(path) {
  const sum = createHash('sha256');
  for await (const part of createReadStream(path)) sum.update(part);
  return sum.digest('hex');
}

/** Chooses files in the dialog. */
export async function choose(page, ...files) {
  await page.getByTestId('files').click();
  await page.getByTestId('files-input').setInputFiles(files);
}

/** Drops files with contents of text on an element of the page. */
export async function drop(page, selector, ...files) {
  const transfer = await page.evaluateHandle((all) => {
    const transfer = new DataTransfer();
    for (const [name, text] of all) transfer.items.add(new File([text], name));
    return transfer;
  }, files);
  for (const type of ['dragover', 'drop']) await page.locator(selector).first().dispatchEvent(type, { dataTransfer: transfer });
}

/** The text below a file in the list. */
export const told = (page, name, text) => page.getByTestId('file').filter({ hasText: name }).getByTestId('file-text').filter({ hasText: text }).first().waitFor({ state: 'attached' });

/** Accepts the question about a file, and resolves with its download. */
export async function take(page) {
  const download = page.waitForEvent('download');
  await page.getByTestId('file-question-accept').first().click();
  return download;
}

/** @param {import('playwright-core').Download} download */
export async function same(download, { name, sha }) {
  assert.equal(download.suggestedFilename(), name);
  assert.equal(await hashOf(await download.path()), sha);
}
