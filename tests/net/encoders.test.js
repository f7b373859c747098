import { after } from 'node:test';

import { call } from './support/encoder.js';
import { discard } from './support/services.js';

after(discard);

// One more runs in tests/run.sh: nat.test.js.
const [NONE, OPEN, LINK] = ['without a relay', 'without a relay; the server’s is open', 'with the relay in `Link`'];
call('cone NATs', 'OBS', NONE, 'does not connect', { nat: 'cone' });
call('cone NATs', 'OBS', OPEN, 'relayed, udp', { nat: 'cone' });
call('cone NATs', 'OBS', LINK, 'relayed, udp', { nat: 'cone' });
call('cone NATs', 'simple-whip-client', LINK, 'relayed, udp', { nat: 'cone' });
call('symmetric NATs', 'OBS', NONE, 'does not connect', { nat: 'symmetric' });
call('symmetric NATs', 'OBS', OPEN, 'relayed, udp', { nat: 'symmetric' });
call('symmetric NATs', 'simple-whip-client', LINK, 'relayed, udp', { nat: 'symmetric' });
call('a symmetric NAT; the page without UDP', 'OBS', LINK, 'does not connect', { nat: 'symmetric', out: 'no UDP', ben: { out: 'all' } });
call('a symmetric NAT; the page without UDP', 'simple-whip-client', LINK, 'relayed, tcp', { nat: 'symmetric', out: 'no UDP', ben: { out: 'all' } });
call('UDP blocked; the page behind a cone NAT', 'OBS', LINK, 'does not connect', { ben: { out: 'no UDP' } });
call('UDP blocked; the page behind a cone NAT', 'simple-whip-client', LINK, 'relayed, udp', { ben: { out: 'no UDP' } });
