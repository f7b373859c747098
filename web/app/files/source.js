/** Bytes that are read at once. */
export const BLOCK = 256 * 1024;

/**
 * Reads a file block by block into the same memory: a new buffer for each would be tens of megabytes before the browser collects them.
 */
export class Source {
  #blob;
  /** @type {ReadableStreamBYOBReader | null} */
  #reader = null;
  #at = -1;
  #buffer = new ArrayBuffer(BLOCK);

  /** @param {Blob} blob */
  constructor(blob) {
    this.#blob = blob;
  }

  /** The bytes from there on, which are valid until the next read. @param {number} from */
  async read(from) {
    const wanted = Math.min(BLOCK, this.#blob.size - from);
    const reader = this.#readerAt(from);
    // Not all browsers read files so.
    if (!reader) return readWhole(this.#blob.slice(from, from + wanted));
    let filled = 0;
    while (filled < wanted) {
      // The memory moves from buffer to buffer, and leaves the one before empty.
      const { value, done } = await reader.read(new Uint8Array(this.#buffer, filled, wanted - filled));
      if (value) this.#buffer = value.buffer;
      if (done || !value) throw new Error('The file is shorter than it was.');
      filled += value.length;
    }
    this.#at = from + wanted;
    return new Uint8Array(this.#buffer, 0, wanted);
  }

  close() {
    void this.#reader?.cancel().catch(() => {});
    this.#reader = null;
  }

  /** @param {number} from */
  #readerAt(from) {
    if (this.#reader && this.#at === from) return this.#reader;
    this.close();
    try {
      return (this.#reader = this.#blob.slice(from).stream().getReader({ mode: 'byob' }));
    } catch {
      return null;
    }
  }
}

/** @param {Blob} part */
async function readWhole(part) {
  const bytes = new Uint8Array(await part.arrayBuffer());
  if (bytes.length !== part.size) throw new Error('The file is shorter than it was.');
  return bytes;
}
