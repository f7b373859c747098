import { after } from 'node:test';

import { call } from './support/call.js';
import { discard } from './support/services.js';

after(discard);

// These run in tests/run.sh.
call('cone NATs', ['its own STUN'], 'through the NATs, udp', { nat: 'cone' });
call('cone NATs', ['STUN', 'TURN/UDP'], 'through the NATs, udp', { nat: 'cone' });
call('symmetric NATs', ['STUN', 'TURN/UDP'], 'relayed, udp', { nat: 'symmetric' });
