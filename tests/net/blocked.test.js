import { after } from 'node:test';

import { call } from './support/call.js';
import { discard } from './support/services.js';

after(discard);

call('UDP blocked', ['its own relay'], 'relayed, tcp', { out: 'no UDP' });
call('only an HTTP proxy', ['its own relay'], 'relayed, tcp', { out: 'only an HTTP proxy' });
call('cone NATs', ['its own STUN'], 'through the NATs, udp', { nat: 'cone' });
call('cone NATs', ['STUN', 'TURN/UDP'], 'through the NATs, udp', { nat: 'cone' });
call('symmetric NATs', ['STUN', 'TURN/UDP'], 'relayed, udp', { nat: 'symmetric' });
call('cone NATs', [], 'does not connect', { nat: 'cone' });
call('symmetric NATs', ['STUN'], 'does not connect', { nat: 'symmetric' });
call('UDP blocked', ['STUN', 'TURN/UDP'], 'does not connect', { out: 'no UDP' });
call('UDP blocked', ['STUN', 'TURN/UDP', 'TURN/TCP'], 'relayed, tcp', { out: 'no UDP' });
call('only an HTTP proxy', ['STUN', 'TURN/UDP', 'TURN/TCP'], 'does not connect', { out: 'only an HTTP proxy' });
call('only an HTTP proxy', ['STUN', 'TURN/UDP', 'TURN/TCP', 'TURN/TLS'], 'relayed, tls', { out: 'only an HTTP proxy' });
