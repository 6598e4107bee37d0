"""What procrastinate does with the same work: python procrastinate_peer.py ADDRESS JOBS. Prints one line of JSON."""
import asyncio
import json
import statistics
import sys
import time

import procrastinate

SINGLE = 100
CONCURRENCY = 10

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=sys.argv[1]))
done = 0
expected = 0
reached = asyncio.Event()


@app.task(name="nothing", queue="bench")
async def nothing():
    global done
    done += 1
    if done >= expected:
        reached.set()


async def main(jobs):
    global expected
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        started = time.perf_counter()
        for _ in range(SINGLE):
            await nothing.defer_async()
        single = SINGLE / (time.perf_counter() - started)
        started = time.perf_counter()
        await nothing.batch_defer_async(*({} for _ in range(jobs)))
        enqueuing = time.perf_counter() - started
        expected = jobs + SINGLE
        started = time.perf_counter()
        worker = asyncio.create_task(app.run_worker_async(
            queues=["bench"], concurrency=CONCURRENCY, install_signal_handlers=False, wait=True))
        await reached.wait()
        working = time.perf_counter() - started
        waits = []
        for _ in range(SINGLE):
            await asyncio.sleep(0.02)
            reached.clear()
            expected = done + 1
            started = time.perf_counter()
            await nothing.defer_async()
            await reached.wait()
            waits.append((time.perf_counter() - started) * 1e3)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    waits.sort()
    print(json.dumps({
        "enqueued_singly_per_s": round(single),
        "enqueued_in_bulk_per_s": round(jobs / enqueuing),
        "worked_per_s": round((jobs + SINGLE) / working),
        "enqueued_and_worked_per_s": round(jobs / (enqueuing + working)),
        "pick_up_p50_ms": statistics.median(waits),
        "pick_up_p95_ms": waits[len(waits) * 95 // 100],
    }))


asyncio.run(main(int(sys.argv[2])))
