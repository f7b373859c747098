import { retryDelay } from './backoff.js';
import { pause } from '../platform/environment.js';
import { Unreachable } from './problem.js';

/** @import { Environment, Retry } from '../types.d.ts' */

/**
 * Repeats an attempt until it succeeds or is refused for good.
 *
 * @template Result
 * @param {Environment} env
 * @param {() => Promise<Result>} attempt
 * @param {{ signal?: AbortSignal, onRetry?: (retry: Retry) => void, delayOf?: typeof retryDelay }} [options]
 * @returns {Promise<Result>}
 */
export async function persist(env, attempt, { signal, onRetry, delayOf = retryDelay } = {}) {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const delayMs = delayOf(error, failures, env.random);
      if (delayMs === null) throw error;
      onRetry?.({ error: /** @type {Error} */ (error), failures: failures + 1, delayMs });
      await pause(env, delayMs, signal, error instanceof Unreachable);
    }
  }
}
