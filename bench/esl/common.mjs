// What the drivers of the Node libraries share. A driver is started as
//     driver.mjs events PORT FORMAT LEVEL COUNT | bgapi PORT WINDOW COUNT | outbound PORT
//     driver.mjs slow PORT FORMAT BUSY_US SECONDS COUNT
// and prints one line of JSON when it is done ("ready" first for outbound).

import { readFileSync } from "node:fs";

export const EVENT_NAMES = [
  "CHANNEL_ANSWER", "CHANNEL_BRIDGE", "CHANNEL_CALLSTATE", "CHANNEL_CREATE", "CHANNEL_DESTROY",
  "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE",
  "CHANNEL_ORIGINATE", "CHANNEL_OUTGOING", "CHANNEL_PARK", "CHANNEL_PROGRESS",
  "CHANNEL_PROGRESS_MEDIA", "CHANNEL_STATE", "CHANNEL_UNBRIDGE", "CHANNEL_UNPARK", "CHANNEL_UUID",
  "HEARTBEAT", "MESSAGE"];

export const [, , mode, ...args] = process.argv;

function addText(text) {
  let sum = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 127) { // bytes count, not characters
      const bytes = Buffer.from(text, "utf8");
      sum = bytes.length;
      for (const b of bytes) sum += b;
      return sum;
    }
    sum += c;
  }
  return sum + text.length;
}

function nowUs() {
  return Number(process.hrtime.bigint() / 1000n);
}

function cpuUs(since) {
  const used = process.cpuUsage(since);
  return used.user + used.system;
}

function finish(more) {
  const rss_kb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
  process.stdout.write(JSON.stringify({ ...more, rss_kb }) + "\n",
    () => process.exit(0));
}

// Give each event as an object of header names and values to the returned function. The clock runs
// from the first event on; when nothing came for 5 s, what came is told.
export function eventCounter(level, count) {
  let events = 0, sum = 0, startUs = nowUs(), cpu = process.cpuUsage(), lastUs = startUs;
  const done = () => finish({ events, sum, wall_s: (lastUs - startUs) / 1e6, cpu_s: cpuUs(cpu) / 1e6 });
  let seen = -1;
  setInterval(() => {
    if (seen === events) done();
    seen = events;
  }, 5000);
  return {
    start() {
      startUs = nowUs();
      cpu = process.cpuUsage();
    },
    // The connection ended: nothing more will come.
    end: done,
    object(headers) {
      if (events === 0) this.start();
      if (level === 1) {
        for (const name of ["Event-Name", "Unique-ID", "variable_sip_call_id"]) {
          sum += addText(String(headers[name] ?? ""));
        }
      } else {
        for (const name in headers) { // a body counts without the name it got here
          sum += (name === "_body" ? 0 : addText(name)) + addText(String(headers[name]));
        }
      }
      events++;
      if (events % 1000 === 0 || events === count) lastUs = nowUs();
      if (events === count) done();
    },
  };
}

// A handler that takes `busy` µs per event, and an `api` every 10 ms by ask(), a promise. Returns
// what the driver calls for each event.
export function slowConsumer(busy, seconds, count, ask) {
  const took = [], fromUs = nowUs(), cpu = process.cpuUsage();
  let handled = 0, asked = 0;
  const report = () => {
    took.sort((a, b) => a - b);
    finish({ handled, asked, answered: took.length, wall_s: (nowUs() - fromUs) / 1e6, cpu_s: cpuUs(cpu) / 1e6,
      p50_us: took[took.length >> 1] ?? 0, p99_us: took[Math.floor(took.length * 0.99)] ?? 0 });
  };
  const late = () => nowUs() - fromUs > seconds * 1e6;
  setInterval(() => {
    if (late()) return report();
    const at = nowUs();
    asked++;
    ask().then(() => took.push(nowUs() - at), () => {});
  }, 10);
  return () => {
    const until = nowUs() + busy;
    while (nowUs() < until);
    if (++handled === count) report();
  };
}

// Keep `window` jobs running until `count` are done. run() gives a promise of one job's result.
export async function pump(window, count, run) {
  const took = new Float64Array(count);
  const startUs = nowUs(), cpu = process.cpuUsage();
  let started = 0, good = 0;
  async function lane() {
    while (started < count) {
      started++;
      const from = nowUs();
      if (await run()) took[good++] = nowUs() - from;
    }
  }
  setTimeout(() => report(true), 60000).unref();
  function report(late) {
    const sorted = took.slice(0, good).sort();
    finish({ rt: good, late, wall_s: (nowUs() - startUs) / 1e6, cpu_s: cpuUs(cpu) / 1e6,
      p50_us: sorted[Math.floor(good / 2)] ?? 0, p99_us: sorted[Math.floor(good * 0.99)] ?? 0 });
  }
  await Promise.all(Array.from({ length: window }, lane));
  report(false);
}

export const quiet = { debug() {}, info() {}, error() {}, trace() {}, warn() {}, fatal() {},
  child() { return quiet; } };
