import type { Peer } from '../client/types.d.ts';
import type { Equipped } from './devices/equipped.js';
import type { Extra } from './devices/news.js';
import type { Key, Values } from './languages/say.js';

/** Who shows a visit. */
export interface Viewer {
  /** The facts have changed. */
  changed(): void;
  /** Is this peer let in? */
  asked(peer: Peer, signal: AbortSignal): Promise<boolean>;
  /** Camera or microphone have changed. */
  equipped(equipped: Equipped): void;
  /** Something that the user should know of. */
  noted(key: Key, values: Values): void;
  /** A screen or a raised hand; null if the call is over. */
  shown(extra: Extra | null): void;
}
