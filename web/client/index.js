import { endpoints } from './endpoints.js';
import { environment } from './environment.js';
import { Room } from './room.js';
import { Session } from './session.js';

export { Problem, RoomEnded, Unreachable } from './problem.js';

/**
 * Joins a room, or comes back to it after a refresh. Retries for as long as the server cannot be reached; throws a
 * `Problem` if it refuses (`room-full`, `secret-wrong`, …).
 *
 * @type {typeof import('./types.d.ts').join}
 */
export async function join(base, room, options = {}) {
  const { signal, onRetry } = options;
  const env = environment(options);
  const session = new Session(env, endpoints(base, room, env.uuid()), options);
  return new Room(env, session, await session.enter({ signal, onRetry }), signal);
}
