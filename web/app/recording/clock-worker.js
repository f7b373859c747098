// A page that is hidden, as while another window is shared, gets neither frames nor timers in time. A worker does.
onmessage = ({ data: everyMs }) => setInterval(() => postMessage(null), everyMs);

export {};
