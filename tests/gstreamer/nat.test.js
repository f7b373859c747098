import { after } from 'node:test';

import { call } from '../net/support/encoder.js';
import { discard } from '../net/support/services.js';

after(discard);

const LINK = 'with the relay in `Link`';
call('cone NATs', 'whipclientsink', LINK, 'relayed, udp', { nat: 'cone' });
call('symmetric NATs', 'whipclientsink', LINK, 'relayed, udp', { nat: 'symmetric' });
call('a symmetric NAT; the page without UDP', 'whipclientsink', LINK, 'relayed, tcp', { nat: 'symmetric', out: 'no UDP', ben: { out: 'all' } });
call('UDP blocked; the page behind a cone NAT', 'whipclientsink', LINK, 'relayed, udp', { ben: { out: 'no UDP' } });
