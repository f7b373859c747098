import { setTimeout } from 'node:timers/promises';

/** The pause between two checks of a condition that raises no event. Polling without a pause would slow down a machine with two cores. */
export const glance = () => setTimeout(25);
