/** Files that arrive, in the browser's storage for this site (origin private file system), until they are saved elsewhere. */

const FOLDER = 'signalpost-files';
const LOCK = 'signalpost:files:';

/** A browser may take this long to copy a file to where it was saved. */
const KEPT_MS = 600_000;

/** The folder of this call, made with the first file. @type {Promise<{ folder: FileSystemDirectoryHandle, remove: () => Promise<void> }> | null} */
let mine = null;
let count = 0;

/** @typedef {FileSystemDirectoryHandle & { keys: () => AsyncIterable<string> }} Listed TypeScript knows it with another library only */

/**
 * A new file to write to; null if the browser has no such storage: plain http, private windows, before Safari 26.
 *
 * @param {number} size
 */
export async function ownFile(size) {
  if (!navigator.storage?.getDirectory || !('createWritable' in FileSystemFileHandle.prototype)) return null;
  const { folder } = await (mine ??= ownFolder()).catch(() => ({ folder: null }));
  if (!folder) return null;
  await provide(size);
  return { folder, handle: await folder.getFileHandle(String((count += 1)), { create: true }) };
}

/** @param {number} size */
async function provide(size) {
  const { quota = Infinity, usage = 0 } = await navigator.storage.estimate();
  if (size > quota - usage) throw new DOMException('There is not enough space.', 'QuotaExceededError');
}

/** The call is over: what it has received is kept for as long as it may still be copied. */
export function leaveOwnFiles() {
  const left = mine;
  mine = null;
  if (left) setTimeout(() => void left.then(({ remove }) => remove()).catch(() => {}), KEPT_MS);
}

/** A page holds a lock as long as it lives, so what others have left behind can be told from what they still need. */
async function ownFolder() {
  const root = /** @type {Listed} */ (await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true }));
  const name = String(crypto.getRandomValues(new Uint32Array(1))[0]);
  await new Promise((held) => void navigator.locks.request(LOCK + name, () => (held(undefined), new Promise(() => {}))));
  const remove = (/** @type {string} */ other) => root.removeEntry(other, { recursive: true });
  for await (const other of root.keys()) {
    void navigator.locks.request(LOCK + other, { ifAvailable: true }, (lock) => lock && remove(other)).catch(() => {});
  }
  return { folder: await root.getDirectoryHandle(name, { create: true }), remove: () => remove(name) };
}
