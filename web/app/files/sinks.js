import { ownFile } from './own-storage.js';

/** @import { Incoming, Sink } from './incoming.js' */
/** @import { Outgoing } from './outgoing.js' */

/** Where nothing can be written to disk. */
export const MOST_IN_MEMORY = 64 * 1000 * 1000;
/** A browser may take this long to save a file. */
const KEPT_MS = 600_000;

/** @typedef {(options: { suggestedName: string, startIn?: string }) => Promise<FileSystemFileHandle>} SavePicker Chromium on desktops has it */

/**
 * Where to put a file: where the user says, or into the browser's own storage until it is complete, or into memory if it is small.
 *
 * @param {string} name
 * @param {number} size
 * @returns {Promise<Sink>}
 */
export async function openSink(name, size) {
  return (await picked(name)) ?? (await stored(size)) ?? inMemory(size);
}

/** @param {string} name @returns {Promise<Sink | null>} */
async function picked(name) {
  const { showSaveFilePicker: pick } = /** @type {{ showSaveFilePicker?: SavePicker }} */ (/** @type {unknown} */ (window));
  if (!pick) return null;
  try {
    const handle = await pick.call(window, { suggestedName: name, startIn: 'downloads' });
    return writing(await handle.createWritable(), async () => null, async () => {});
  } catch (error) {
    // Without a recent click, as with the second of two files, the browser does not ask.
    if (/** @type {Error} */ (error).name === 'SecurityError') return null;
    throw error;
  }
}

/** @param {number} size @returns {Promise<Sink | null>} */
async function stored(size) {
  const own = await ownFile(size);
  if (!own) return null;
  const { folder, handle } = own;
  return writing(await handle.createWritable(), () => handle.getFile(), () => folder.removeEntry(handle.name));
}

/**
 * @param {FileSystemWritableFileStream} stream what is written to it is in the file once it is closed
 * @param {() => Promise<Blob | null>} finished
 * @param {() => Promise<void>} removed
 * @returns {Sink}
 */
function writing(stream, finished, removed) {
  return {
    write: (bytes) => stream.write(bytes),
    close: () => stream.close().then(finished),
    abort: () => stream.abort().then(removed),
  };
}

/** @param {number} size @returns {Sink} */
function inMemory(size) {
  if (size > MOST_IN_MEMORY) throw Object.assign(new Error('It would fill the memory.'), { name: 'TooLarge' });
  /** @type {Blob[]} */
  let parts = [];
  return {
    write: async (bytes) => void parts.push(new Blob([bytes])),
    close: async () => new Blob(parts),
    abort: async () => { parts = []; },
  };
}

/** Saves a file that is complete, unless it is where the user wanted it already. @param {Outgoing | Incoming} file */
export function save(file) {
  if (file.state === 'done' && 'blob' in file && file.blob) download(file.blob, file.name);
}

/**
 * Saves a file as a download, whatever it is: a browser would show an image or a page, and run what is in it.
 *
 * @param {Blob} blob
 * @param {string} name
 */
function download(blob, name) {
  const link = document.createElement('a');
  const url = URL.createObjectURL(blob.slice(0, blob.size, 'application/octet-stream'));
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it in its own time.
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
