// esl-lite 3: a client for JSON events only; it subscribes by itself to what is listened to.
import { FreeSwitchClient } from "esl-lite";
import { EVENT_NAMES, args, eventCounter, mode, pump, quiet, slowConsumer } from "./common.mjs";

const client = new FreeSwitchClient({ host: "127.0.0.1", port: Number(args[0]), password: "ClueCon", logger: quiet });
if (mode === "bgapi") {
  pump(Number(args[1]), Number(args[2]),
    () => client.bgapi("status", 30000).then((r) => !(r instanceof Error), () => false));
} else if (mode === "slow") {
  const ask = () => client.bgapi("status", 60000).then((r) => { if (r instanceof Error) throw r; });
  const seen = slowConsumer(Number(args[2]), Number(args[3]), Number(args[4]), ask);
  for (const name of EVENT_NAMES) client.on(name, seen);
} else {
  const counter = eventCounter(Number(args[2]), Number(args[3]));
  for (const name of EVENT_NAMES) client.on(name, (ev) => counter.object(ev.body.data));
}
