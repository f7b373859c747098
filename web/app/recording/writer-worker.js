// Writes a file in the origin's private storage in place: what has been written is there even if the page crashes. (Streams, which pages have
// themselves, keep it only if they are closed.)

/** @typedef {{ truncate(size: number): void, getSize(): number, write(bytes: Uint8Array, options: { at: number }): number, flush(): void, close(): void }} SyncFile for workers only */

/** @type {SyncFile | null} */
let file = null;

/**
 * @param {string} folder
 * @param {string} name
 */
async function openFile(folder, name) {
  const root = await navigator.storage.getDirectory();
  const directory = await root.getDirectoryHandle(folder, { create: true });
  const handle = /** @type {any} */ (await directory.getFileHandle(name, { create: true }));
  file = await handle.createSyncAccessHandle();
  file?.truncate(0);
}

/**
 * @param {SyncFile} file
 * @param {Uint8Array} bytes
 * @param {number} [at] at the end if this is missing
 */
function write(file, bytes, at = file.getSize()) {
  // In Chromium's private windows it may return any number when it fails.
  if (file.write(bytes, { at }) !== bytes.byteLength) throw new DOMException('', 'QuotaExceededError');
}

onmessage = async ({ data: { id, folder, name, bytes, at } }) => {
  try {
    if (folder) await openFile(folder, name);
    else if (file && bytes) write(file, bytes, at);
    else file?.close();
    postMessage({ id });
  } catch (error) {
    postMessage({ id, error: /** @type {DOMException} */ (error).name });
  }
};

export {};
