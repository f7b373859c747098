import { part } from '../page.js';
import { findLeftBehind } from './kept.js';
import { RecordNote } from './note.js';

/** Offers a recording that was not saved when its page was left. Further ones are offered at the next visits. */
export async function offerLeftBehind() {
  await findLeftBehind((file) => part('record-note', HTMLElement).hidden && new RecordNote().left(file));
}
