import { show } from '../languages/document.js';
import { isolate } from '../names.js';
import { part } from '../page.js';
import { download } from './destination.js';
import { KeptRecordings, forget } from './kept.js';

/** @import { Key } from '../languages/say.js' */
/** @import { Result } from './recording.js' */

/** What became of a recording, also after the call. */
export class RecordNote {
  #view = part('record-note', HTMLElement);
  #words = part('record-words', HTMLElement);
  #lacks = part('record-lacks', HTMLElement);
  #save = part('record-save', HTMLButtonElement);
  #drop = part('record-delete', HTMLButtonElement);
  #kept = new KeptRecordings();

  /** Nothing is recorded. @param {Key} key why */
  refused(key) {
    this.#forget();
    this.#tell(key);
  }

  /** A new recording. */
  begin() {
    this.#forget();
  }

  /** The recording continues without the sound of one person. Shown until the next recording begins. */
  lacksSound() {
    this.#tell('recording');
    this.#lacks.hidden = false;
    show(this.#lacks, 'record-lacks-sound');
  }

  saving() {
    this.#tell('record-saving');
  }

  /** @param {Result} result */
  ended({ how, name, file, trouble }) {
    if (how === 'empty') return this.#tell(trouble === 'disk-full' ? 'record-nowhere' : 'record-empty');
    if (file && trouble !== 'not-moved') this.#download(file);
    this.#tell(wordsOf(how, trouble), name);
    if (file) this.#offer(file, { again: trouble !== 'not-moved', drop: trouble === 'not-moved' });
  }

  /**
   * From a visit before.
   *
   * @param {File} file
   * @param {boolean} isDownloaded as far as the page knows
   */
  left(file, isDownloaded) {
    this.#forget();
    this.#tell(isDownloaded ? 'record-copy' : 'record-left', file.name);
    this.#offer(file, { again: isDownloaded, drop: true });
  }

  /** Forgets that somebody's sound was missing: that was about another recording. */
  #forget() {
    this.#lacks.hidden = true;
  }

  /**
   * @param {Key} key
   * @param {string} [name] of the file
   */
  #tell(key, name = '') {
    this.#save.hidden = this.#drop.hidden = true;
    this.#view.hidden = false;
    show(this.#words, key, { file: isolate(name) });
  }

  /**
   * @param {File} file
   * @param {{ again: boolean, drop: boolean }} what `again`: it was downloaded; `drop`: the browser no longer reads it for a download
   */
  #offer(file, { again, drop }) {
    this.#save.hidden = false;
    this.#drop.hidden = !drop;
    show(this.#save, again ? 'record-save-again' : 'record-save');
    this.#save.onclick = () => {
      this.#download(file);
      this.#tell('record-downloaded', file.name);
      this.#offer(file, { again: true, drop: false });
    };
    this.#drop.onclick = () => {
      void forget(file.name, this.#kept);
      this.#view.hidden = true;
    };
  }

  /** @param {File} file */
  #download(file) {
    download(file);
    this.#kept.set(file.name, Date.now());
  }
}

/**
 * @param {Result['how']} how
 * @param {Result['trouble']} trouble
 * @returns {Key}
 */
export function wordsOf(how, trouble) {
  if (trouble === 'disk-full') return 'record-disk-full';
  if (trouble === 'failed') return 'record-failed';
  if (trouble === 'not-moved') return 'record-not-moved';
  return how === 'saved' ? 'record-saved' : 'record-downloaded';
}
