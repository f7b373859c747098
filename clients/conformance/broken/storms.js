// Broken on purpose: its pauses have no length, whatever failed.

import { adapt } from '../adapters/javascript.js';

await adapt({ random: () => 0.002 });
