import { environment } from './platform/environment.js';
import { Room } from './room/room.js';
import { Sealing } from './room/sealing.js';
import { Session } from './room/session.js';
import { endpoints } from './wire/endpoints.js';

export { lastingStorage, tabStorage } from './platform/storage.js';
export { Unsupported } from './platform/unsupported.js';
export { supportsWebRtc } from './rtc/support.js';
export { whipRole } from './rtc/whip.js';
export { newKey } from './sealed/room-key.js';
export { safetyNumber } from './sealed/safety-number.js';
export { request } from './wire/http.js';
export { Problem, RoomEnded, Unreachable } from './wire/problem.js';
export { isStale } from './wire/stale.js';
export { endpoints, environment };

/**
 * Joins a room, or returns to it after a reload. Retries while the server cannot be reached; throws a `Problem` if it
 * refuses (`room-full`, `secret-missing`, …).
 *
 * @type {typeof import('./types.d.ts').join}
 */
export async function join(base, room, options = {}) {
  const { signal, onRetry } = options;
  const env = environment(options);
  const at = endpoints(base, room, env.uuid());
  const sealing = await Sealing.of(room, options);
  const session = new Session(env, at, sealing ? await sealing.wishes(options) : options, sealing);
  return new Room(env, session, await session.enter({ signal, onRetry }), signal);
}
