// Allocates as Node programs do: objects for the collector, and, through the C
// library, buffers, compressors and worker threads.
'use strict';

const crypto = require('crypto');
const zlib = require('zlib');
const {Worker, isMainThread, parentPort, workerData} = require('worker_threads');

// A generator of our own, with a seed.
function chooser(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % limit;
  };
}

function work(seed) {
  const choose = chooser(seed);
  const sum = crypto.createHash('sha256');
  const held = [];
  for (let i = 0; i < 20000; ++i) {
    const buffer = Buffer.alloc(choose(20000), i & 255);
    held[choose(200)] = buffer;
    if (i % 100 === 0) sum.update(buffer);
  }
  const table = new Map();
  for (let i = 0; i < 100000; ++i) {
    table.set('key' + choose(20000), {number: i, list: [i, i + 1]});
  }
  const text = JSON.stringify([...table.entries()]);
  sum.update(JSON.stringify(JSON.parse(text)));
  for (let level = 1; level <= 9; ++level) {
    const small = zlib.deflateSync(text.slice(0, 500000), {level});
    sum.update(zlib.inflateSync(small));
  }
  return sum.digest('hex');
}

if (isMainThread) {
  console.log(work(1));
  const workers = [2, 3, 4, 5].map(
      (seed) => new Promise((resolve, reject) => {
        const worker = new Worker(__filename, {workerData: seed});
        worker.once('message', resolve);
        worker.once('error', reject);
      }));
  Promise.all(workers).then((results) => results.forEach((r) => console.log(r)));
} else {
  parentPort.postMessage(work(workerData));
}
