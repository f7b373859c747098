import { leftBehind } from './kept.js';
import { RecordNote } from './note.js';

/** Offers a recording that was not saved when its page was left. Further ones are offered at the next visits. */
export async function offerLeftBehind() {
  const [file] = await leftBehind(Date.now());
  if (file) new RecordNote().left(file);
}
