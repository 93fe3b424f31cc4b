// esl 11: client and server. It has no call for plain events and leaves their body undecoded text.
import { FreeSwitchClient, FreeSwitchServer } from "esl";
import { EVENT_NAMES, args, eventCounter, mode, pump, quiet, slowConsumer } from "./common.mjs";

if (mode === "outbound") {
  const server = new FreeSwitchServer({ logger: quiet, all_events: false, my_events: false });
  server.on("connection", (call) => {
    if (args[1] === "hold") return;
    call.api("status").then(() => call.exit()).catch(() => {});
  });
  server.on("error", () => {});
  await server.listen({ port: Number(args[0]), host: "127.0.0.1", backlog: 4096 });
  console.log("ready");
} else {
  const client = new FreeSwitchClient({ port: Number(args[0]), logger: quiet });
  client.on("error", () => {});
  client.on("connect", (call) => {
    if (mode === "bgapi") {
      pump(Number(args[1]), Number(args[2]),
        () => call.bgapi("status", 30000).then((r) => r.body._body !== undefined, () => false));
      return;
    }
    if (mode === "slow") {
      const seen = slowConsumer(Number(args[2]), Number(args[3]), Number(args[4]), () => call.api("status", 60000));
      for (const name of EVENT_NAMES) call.on(name, seen);
      call.send(`event ${args[1]} ${EVENT_NAMES.join(" ")}`).catch(() => {});
      return;
    }
    const counter = eventCounter(Number(args[2]), Number(args[3]));
    for (const name of EVENT_NAMES) call.on(name, (ev) => counter.object(ev.body));
    call.send(`event ${args[1]} ALL`).catch(() => {});
  });
  client.connect();
}
