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
    let bytes = new Uint8Array(this.#buffer, 0, 0);
    while (bytes.length < wanted) {
      const { value, done } = await reader.read(new Uint8Array(this.#buffer, bytes.length, wanted - bytes.length));
      if (value) this.#buffer = value.buffer;
      if (done || !value) throw new Error('The file is shorter than it was.');
      bytes = new Uint8Array(this.#buffer, 0, bytes.length + value.length);
    }
    this.#at = from + wanted;
    return bytes;
  }

  close() {
    void this.#reader?.cancel().catch(() => {});
    this.#reader = null;
  }

  /** @param {number} from */
  #readerAt(from) {
    if (this.#reader && this.#at === from) return this.#reader;
    this.close();
    return (this.#reader = this.#blob.slice(from).stream().getReader({ mode: 'byob' }));
  }
}
