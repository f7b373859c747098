import { show } from '../languages/document.js';
import { part } from '../page.js';
import { NotRecorded, chooseFile } from './destination.js';
import { clockOf, fileName } from './file-name.js';
import { formatOf, whyNot } from './format.js';
import { KeptRecordings, claim, forget } from './kept.js';
import { RecordNote } from './note.js';
import { Recording } from './recording.js';
import { SceneReader } from './scene.js';
import { StoredFile } from './stored-file.js';

/** @import { Format } from './format.js' */
/** @import { Only, Recorded } from './scene.js' */

const LOOK_MS = 250;

/**
 * Records the call until the signal is aborted, tells the others meanwhile, and says what became of it.
 *
 * @param {Recorded} call
 * @param {Only | null} only
 * @param {AbortSignal} signal
 */
export async function record(call, only, signal) {
  const note = new RecordNote();
  note.begin();
  try {
    const recording = await begin(call, only, signal, note);
    if (!recording) return;
    const release = claim(recording.name);
    await follow(recording, call, signal, note);
    release();
  } catch (error) {
    note.refused(error instanceof NotRecorded ? error.key : 'record-not-started');
  }
}

/**
 * @param {Recorded} call
 * @param {Only | null} only
 * @param {AbortSignal} signal
 * @param {RecordNote} note
 */
async function begin({ room, screen }, only, signal, note) {
  const why = whyNot();
  if (why) throw new NotRecorded(why);
  const format = /** @type {Format} */ (formatOf((type) => MediaRecorder.isTypeSupported(type)));
  const name = fileName(room(), new Date(), format.extension);
  const handle = await chooseFile(name, format);
  // The call may be over by now.
  if (signal.aborted) return null;
  const file = new StoredFile(name);
  const kept = new KeptRecordings();
  kept.set(name, null);
  try {
    await file.open();
    const recording = new Recording(file, format, new SceneReader(part('stage', HTMLElement), only, screen), handle, () => note.lacksSound());
    recording.start();
    return recording;
  } catch (error) {
    await file.close().catch(() => {});
    await forget(name, kept).catch(() => {});
    const isNowhere = ['SecurityError', 'QuotaExceededError', 'NotAllowedError'].includes(/** @type {DOMException} */ (error).name);
    throw isNowhere ? new NotRecorded('record-nowhere') : error;
  }
}

/**
 * @param {Recording} recording
 * @param {Recorded} call
 * @param {AbortSignal} signal
 * @param {RecordNote} note
 */
async function follow(recording, call, signal, note) {
  const showTime = () => { part('recording-time', HTMLElement).textContent = clockOf(recording.length); };
  const timer = setInterval(showTime, LOOK_MS);
  const stopped = () => {
    clearInterval(timer);
    mark(false);
    call.tell(false);
    recording.stop();
    note.saving();
  };
  window.addEventListener('beforeunload', ask);
  call.tell(true);
  mark(true);
  // Its tiles have no buttons until this recording is saved.
  part('stage', HTMLElement).dataset.recording = 'true';
  showTime();
  if (signal.aborted) stopped();
  signal.addEventListener('abort', stopped);
  const result = await recording.ended;
  if (!signal.aborted) stopped();
  signal.removeEventListener('abort', stopped);
  window.removeEventListener('beforeunload', ask);
  if (result.how !== 'kept') await forget(recording.name).catch(() => {});
  part('stage', HTMLElement).dataset.recording = 'false';
  note.ended(result);
}

/** Leaving the page would end it before it is saved. @param {BeforeUnloadEvent} event */
function ask(event) {
  event.preventDefault();
}

/** @param {boolean} on */
function mark(on) {
  const button = part('record', HTMLButtonElement);
  button.dataset.off = String(on);
  show(/** @type {Element} */ (button.querySelector('span')), on ? 'stop-recording' : 'record');
  part('recording', HTMLElement).hidden = !on;
}
