import { after } from 'node:test';

import { call } from './support/call.js';
import { call as encoderCall } from './support/encoder.js';
import { discard } from './support/services.js';

after(discard);

// These run in tests/run.sh.
const OWN = ['its own relay'];
call('cone NATs', OWN, 'through the NATs, udp', { nat: 'cone' });
call('symmetric NATs', OWN, 'relayed, udp', { nat: 'symmetric' });
encoderCall('symmetric NATs', 'OBS', 'with the relay in `Link`', 'relayed, udp', { nat: 'symmetric' });
call('only a proxy that insists on TLS', OWN, 'relayed, tls', { out: 'only a proxy that insists on TLS' });
