// modesl 1.2: client and server; it subscribes to two events by itself when it is ready.
import modesl from "modesl";
import { EVENT_NAMES, args, eventCounter, mode, pump, slowConsumer } from "./common.mjs";

process.removeAllListeners("warning");
const ignore = () => {};
if (mode === "outbound") {
  const server = new modesl.Server({ port: Number(args[0]), host: "127.0.0.1" }, () => console.log("ready"));
  server.on("connection::ready", (conn) => {
    if (args[1] === "hold") return;
    conn.api("status", () => conn.sendRecv("exit", ignore));
  });
  server.on("connection::open", (conn) => conn.on("error", ignore));
} else {
  const conn = new modesl.Connection("127.0.0.1", Number(args[0]), "ClueCon", () => {
    if (mode === "bgapi") {
      conn.setMaxListeners(0);
      pump(Number(args[1]), Number(args[2]),
        () => new Promise((resolve) => conn.bgapi("status", "", (ev) => resolve(ev.getBody() !== ""))));
      return;
    }
    if (mode === "slow") {
      const ask = () => new Promise((resolve) => conn.api("status", resolve));
      const seen = slowConsumer(Number(args[2]), Number(args[3]), Number(args[4]), ask);
      conn.on("esl::event::**", (ev) => ev.getHeader("Event-Name") && seen());
      conn.events(args[1], EVENT_NAMES);
      return;
    }
    const counter = eventCounter(Number(args[2]), Number(args[3]));
    conn.on("esl::event::**", (ev) => {
      if (!ev.getHeader("Event-Name")) return;
      const headers = Object.fromEntries(ev.headers.map((h) => [h.name, h.value]));
      counter.object(ev.getBody() ? { ...headers, _body: ev.getBody() } : headers);
    });
    conn.events(args[1], "all");
  });
  conn.on("error", ignore);
}
