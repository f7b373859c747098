/** @import { Format } from './format.js' */

/** Not recorded, and why. `key` is that of the words. */
export class NotRecorded extends Error {
  /** @param {import('../languages/say.js').Key} key */
  constructor(key) {
    super(key);
    this.key = key;
  }
}

/**
 * Asks where the recording is to be saved, where the browser can ask; elsewhere it becomes a download, and this resolves with null.
 * Rejects with `NotRecorded` if no file was chosen.
 *
 * @param {string} name
 * @param {Format} format
 * @param {{ showSaveFilePicker?: (options: object) => Promise<FileSystemFileHandle> }} browser
 */
export async function chooseFile(name, { mimeType, extension }, browser = /** @type {any} */ (globalThis)) {
  if (!browser.showSaveFilePicker) return null;
  const types = [{ accept: { [mimeType.split(';')[0]]: [`.${extension}`] } }];
  try {
    return await browser.showSaveFilePicker({ suggestedName: name, types, id: 'recordings', startIn: 'videos' });
  } catch (error) {
    const { name } = /** @type {DOMException} */ (error);
    if (name === 'AbortError') throw new NotRecorded('record-cancelled');
    // Asking takes a click that is not too old, and is not allowed in frames.
    if (name === 'SecurityError') return null;
    throw new NotRecorded('record-refused');
  }
}

/**
 * Writes the recording to the chosen file.
 *
 * @param {File} file
 * @param {FileSystemFileHandle} handle
 */
export async function copyTo(file, handle) {
  await file.stream().pipeTo(await handle.createWritable());
}

/** Saves a file as a download. @param {File} file */
export function download(file) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
