import { setTimeout } from 'node:timers/promises';

/** Between two looks at something that is awaited and cannot tell by itself: two cores have better things to do than to look all the time. */
export const glance = () => setTimeout(25);
