import { part } from '../page.js';
import { findLeftBehind } from './kept.js';
import { RecordNote } from './note.js';

/** Offers a recording that is still in the browser's storage. Further ones are offered at the next visits. */
export async function offerLeftBehind() {
  await findLeftBehind((file, isDownloaded) => part('record-note', HTMLElement).hidden && new RecordNote().left(file, isDownloaded));
}
