import endings from './endings.js';
import faults from './faults.js';
import joining from './joining.js';
import messages from './messages.js';
import pauses from './pauses.js';
import proxies from './proxies.js';
import restarts from './restarts.js';

/**
 * In the order of docs/clients.md.
 *
 * @type {{ name: string, promise: string, seconds?: number, run: (stage: import('../kit/stage.js').Stage) => Promise<string> }[]}
 */
export const scenarios = [...joining, ...messages, ...faults, ...restarts, ...endings, ...pauses, ...proxies];
