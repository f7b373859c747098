const FOLDER = 'signalpost-recordings';

/** A file in the origin's private storage, written in place by a worker. */
export class StoredFile {
  #worker = new Worker(new URL('./writer-worker.js', import.meta.url), { type: 'module' });
  /** Promises of what the worker was asked, by number. @type {Map<number, { resolve: () => void, reject: (error: DOMException) => void }>} */
  #asked = new Map();
  #count = 0;
  /** Why the worker does not answer. @type {DOMException | null} */
  #failure = null;

  /** @param {string} name */
  constructor(name) {
    this.name = name;
    this.#worker.onmessage = ({ data: { id, error } }) => {
      const { resolve, reject } = this.#asked.get(id) ?? {};
      this.#asked.delete(id);
      if (error) reject?.(new DOMException('', error));
      else resolve?.();
    };
    // It did not load.
    this.#worker.onerror = () => {
      this.#failure = new DOMException('', 'NetworkError');
      for (const { reject } of this.#asked.values()) reject(this.#failure);
      this.#asked.clear();
    };
  }

  async open() {
    await this.#ask({ folder: FOLDER, name: this.name });
  }

  /** @param {Uint8Array} bytes */
  async append(bytes) {
    await this.#ask({ bytes }, [bytes.buffer]);
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} at
   */
  async put(bytes, at) {
    await this.#ask({ bytes, at });
  }

  async close() {
    try {
      await this.#ask({});
    } finally {
      this.#worker.terminate();
    }
  }

  /**
   * @param {object} what
   * @param {Transferable[]} [transferred]
   */
  #ask(what, transferred = []) {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#count += 1;
    const id = this.#count;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve: () => resolve(undefined), reject });
      this.#worker.postMessage({ id, ...what }, transferred);
    });
  }
}

/** What is in the file; null if there is none, or nothing in it. @param {string} name @returns {Promise<File | null>} */
export async function storedFile(name) {
  try {
    const file = await (await (await folder()).getFileHandle(name)).getFile();
    return file.size > 0 ? file : null;
  } catch {
    return null;
  }
}

/** @param {string} name */
export async function removeStored(name) {
  // It may be gone already, or in use.
  await (await folder()).removeEntry(name).catch(() => {});
}

async function folder() {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(FOLDER, { create: true });
}
