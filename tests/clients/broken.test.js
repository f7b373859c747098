import assert from 'node:assert/strict';
import { test } from 'node:test';

import { verdicts } from './kit.js';

/** Scenarios that each client has to fail, and how, among others that it has to pass. Where it is silent, `patience` is how many seconds to listen. */
const BROKEN = {
  doubles: { only: 'join-repeated,fault: cut,messages,order', kind: 'doubled', fails: ['join-repeated', 'fault: cut before the answer', 'fault: cut in the middle of the answer'] },
  // If it loses the last message of all, nothing comes after it that would show the gap.
  loses: { only: 'fault: cut,messages,order', kind: 'lost', orKind: 'silence', patience: 45, fails: ['fault: cut in the middle of the answer'] },
  overtakes: { only: 'order,messages,resume,kicked', kind: 'out of order', fails: ['order'] },
  storms: { only: 'retry-after: soon,restart-kept-key,messages,order,peer-gone', kind: 'storm', fails: ['retry-after: soon', 'restart-kept-key'] },
  silent: { only: 'restart,peer-gone,cursor-gone,messages,superseded', kind: 'silence', patience: 45, fails: ['restart-kept-key', 'restart-new-key', 'peer-gone', 'cursor-gone'] },
};

for (const [name, { only, kind, orKind = kind, patience = 120, fails }] of Object.entries(BROKEN)) {
  test(`a client that is broken on purpose (${name}) fails where it is broken, and only there`, async () => {
    const said = await verdicts([process.execPath, `broken/${name}.js`], ['--only', only, '--patience', String(patience)]);
    const failed = said.filter(({ passed }) => !passed);
    assert.deepEqual(failed.map((one) => one.name).sort(), [...fails].sort(), JSON.stringify(said, null, 1));
    for (const one of failed) assert.ok([kind, orKind].includes(one.kind), JSON.stringify(one));
    assert.ok(said.length > failed.length);
  });
}
