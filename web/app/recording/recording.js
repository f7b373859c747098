import { copyTo } from './destination.js';
import { Mixer } from './mixer.js';
import { Painter } from './painter.js';
import { storedFile } from './stored-file.js';
import { Beginning, durationBytes } from './webm.js';

/** @import { Format } from './format.js' */
/** @import { SceneReader } from './scene.js' */
/** @import { StoredFile } from './stored-file.js' */

const FRAMES_PER_SECOND = 25;
/** How much is lost if the page crashes. */
const PIECE_MS = 1_000;
const BITS = { videoBitsPerSecond: 2_500_000, audioBitsPerSecond: 128_000 };

/**
 * How a recording ended: `saved` in the chosen file, `kept` in the browser's storage (to be downloaded), or `empty`. `trouble`: why it
 * ended by itself, or why it is not in the chosen file.
 *
 * @typedef {{ how: 'saved' | 'kept' | 'empty', name: string, file: File | null, trouble: 'disk-full' | 'failed' | 'not-moved' | null }} Result
 */

/** Records what a scene shows, into a file, until it is stopped. */
export class Recording {
  #file;
  #scene;
  #handle;
  #painter = new Painter();
  #mixer;
  #clock = new Worker(new URL('./clock-worker.js', import.meta.url), { type: 'module' });
  #recorder;
  #began = 0;
  /** Until it is written. @type {Beginning | null} */
  #beginning = new Beginning();
  #durationAt = 0;
  /** @type {Result['trouble']} */
  #trouble = null;
  /** What is being written, one after the other. @type {Promise<void>} */
  #written = Promise.resolve();
  /** Resolves when the file is complete. @type {Promise<Result>} */
  ended;

  /**
   * @param {StoredFile} file open
   * @param {Format} format
   * @param {SceneReader} scene
   * @param {FileSystemFileHandle | null} handle where it goes in the end
   * @param {() => void} lacks somebody's sound cannot be recorded
   */
  constructor(file, { mimeType }, scene, handle, lacks) {
    this.#mixer = new Mixer(lacks);
    this.#file = file;
    this.#scene = scene;
    this.#handle = handle;
    const tracks = [...this.#painter.stream(FRAMES_PER_SECOND).getTracks(), ...this.#mixer.stream.getTracks()];
    this.#recorder = new MediaRecorder(new MediaStream(tracks), { mimeType, ...BITS });
    this.#recorder.ondataavailable = ({ data }) => { this.#written = this.#written.then(() => this.#write(data)); };
    this.#recorder.onerror = () => this.#fail('failed');
    this.ended = new Promise((resolve) => { this.#recorder.onstop = () => resolve(this.#finish()); });
    this.#clock.onmessage = () => this.#tick();
    // It did not load: there would be one picture that never changes.
    this.#clock.onerror = () => this.#fail('failed');
  }

  /** Of the file. */
  get name() {
    return this.#file.name;
  }

  /** Milliseconds so far. */
  get length() {
    return performance.now() - this.#began;
  }

  start() {
    this.#tick();
    this.#clock.postMessage(1000 / FRAMES_PER_SECOND);
    this.#recorder.start(PIECE_MS);
    this.#began = performance.now();
  }

  stop() {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
  }

  #tick() {
    const { pictures, sound } = this.#scene.read();
    this.#painter.paint(pictures);
    this.#mixer.follow(sound);
  }

  /** @param {Blob} piece */
  async #write(piece) {
    if (this.#trouble || piece.size === 0) return;
    try {
      const bytes = new Uint8Array(await piece.arrayBuffer());
      if (this.#beginning) await this.#begin(this.#beginning.add(bytes));
      else await this.#file.append(bytes);
      if (this.#durationAt) await this.#file.put(durationBytes(this.length), this.#durationAt);
    } catch (error) {
      this.#fail(/** @type {DOMException} */ (error).name === 'QuotaExceededError' ? 'disk-full' : 'failed');
    }
  }

  /** @param {{ bytes: Uint8Array, durationAt: number } | null} begun null: more is to come */
  async #begin(begun) {
    if (!begun) return;
    this.#beginning = null;
    this.#durationAt = begun.durationAt;
    await this.#file.append(begun.bytes);
  }

  /** @param {'disk-full' | 'failed'} trouble */
  #fail(trouble) {
    this.#trouble ??= trouble;
    this.stop();
  }

  /** @returns {Promise<Result>} */
  async #finish() {
    this.#clock.terminate();
    this.#mixer.close();
    this.#scene.close();
    for (const track of this.#recorder.stream.getTracks()) track.stop();
    await this.#written;
    await this.#file.close().catch(() => {});
    const { name } = this.#file;
    const file = await storedFile(name);
    if (!file) return { how: 'empty', name, file, trouble: this.#trouble };
    if (!this.#handle) return { how: 'kept', name, file, trouble: this.#trouble };
    try {
      await copyTo(file, this.#handle);
      return { how: 'saved', name: this.#handle.name, file: null, trouble: this.#trouble };
    } catch {
      return { how: 'kept', name, file, trouble: 'not-moved' };
    }
  }
}
