// Answers to what a client asks while it goes live. Whatever is not listed gets an empty result.
import { child, node } from "./nodes.mjs";

const TIMELOCK = '{"data":{"xwa2_fetch_account_reachout_timelock":{"is_active":false}}}';

export function answer(device, { xmlns }, request) {
  const first = request.content?.[0]?.tag;
  switch (`${xmlns} ${first}`) {
    case "encrypt count":
      return [node("count", { value: String(device?.preKeys ?? 0) })];
    case "encrypt digest":
      return [node("digest", {}, [])];
    case "encrypt registration":
      if (device) device.preKeys += child(request, "list").content.length;
      return undefined;
    case "abt props":
      return [node("props", { protocol: "1", hash: "stand-in" }, [])];
    case "blocklist undefined":
      return [node("list", {}, [])];
    case "privacy privacy":
      return [node("privacy", {}, [node("category", { name: "readreceipts", value: "all" })])];
    case "w:g2 participating":
      return [node("groups", {}, [])];
    case "w:mex query":
      return [node("result", {}, Buffer.from(TIMELOCK))];
    case "w:sync:app:state sync": {
      const wanted = child(request, "sync").content;
      return [node("sync", {}, wanted.map(({ attrs }) => node("collection", { name: attrs.name, version: attrs.version })))];
    }
    case "usync usync": {
      const users = child(child(request, "usync"), "list")?.content ?? [];
      const known = users.filter((user) => user.attrs.jid).map((user) => node("user", { jid: user.attrs.jid }, []));
      return [node("usync", {}, [node("list", {}, known)])];
    }
    default:
      return undefined;
  }
}
