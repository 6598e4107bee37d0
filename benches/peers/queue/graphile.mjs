// What graphile-worker does with the same work: node graphile.mjs ADDRESS JOBS. Prints one line of JSON.
import { Logger, makeWorkerUtils, run } from "graphile-worker";

const [address, jobsText] = process.argv.slice(2);
const jobs = Number(jobsText);
const SINGLE = 200;
const CONCURRENCY = 10;
const BULK = 1000;

const utils = await makeWorkerUtils({ connectionString: address });
await utils.migrate();
const seconds = (from) => Number(process.hrtime.bigint() - from) / 1e9;

let from = process.hrtime.bigint();
for (let n = 0; n < SINGLE; n++) await utils.addJob("nothing", {});
const single = SINGLE / seconds(from);

from = process.hrtime.bigint();
for (let n = 0; n < jobs; n += BULK) {
  await utils.addJobs(Array.from({ length: BULK }, () => ({ identifier: "nothing", payload: {} })));
}
const enqueuing = seconds(from);

let done = 0;
let onJob = () => {};
from = process.hrtime.bigint();
let allDone;
const finished = new Promise((resolve) => (allDone = resolve));
const runner = await run({
  connectionString: address,
  concurrency: CONCURRENCY,
  noHandleSignals: true,
  logger: new Logger(() => (level, message) => (level === "error" ? console.error(message) : undefined)),
  taskList: {
    nothing: async () => {
      done += 1;
      onJob();
      if (done === jobs + SINGLE) allDone();
    },
  },
});
await finished;
const working = seconds(from);

const waits = [];
for (let n = 0; n < SINGLE; n++) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  const picked = new Promise((resolve) => (onJob = () => resolve(process.hrtime.bigint())));
  const begin = process.hrtime.bigint();
  await utils.addJob("nothing", {});
  waits.push(Number((await picked) - begin) / 1e6);
}
waits.sort((a, b) => a - b);
await runner.stop();
await utils.release();
console.log(
  JSON.stringify({
    enqueued_singly_per_s: Math.round(single),
    enqueued_in_bulk_per_s: Math.round(jobs / enqueuing),
    worked_per_s: Math.round((jobs + SINGLE) / working),
    enqueued_and_worked_per_s: Math.round(jobs / (enqueuing + working)),
    pick_up_p50_ms: waits[waits.length >> 1],
    pick_up_p95_ms: waits[Math.floor((waits.length * 95) / 100)],
  }),
);
