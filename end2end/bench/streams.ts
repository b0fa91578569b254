/** Many open event streams, as many open pages have them. */
import { Agent, type ClientRequest, request } from "node:http";
import { facts } from "../support/stack.ts";

export interface Streams {
  /** Resolves when every stream has had a message with this text, to the moments when they had it. */
  saw(text: string): Promise<number[]>;
  close(): void;
}

/** Opens the gateway's stream so many times; resolves when every one has had its first whole page. */
export async function open(count: number, cookies: string[]): Promise<Streams> {
  const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
  const asked: ClientRequest[] = [];
  let listen: (index: number, text: string) => void = () => {};
  const opened = Array.from({ length: count }, (_, index) =>
    new Promise<void>((done, failed) => {
      const headers = { cookie: cookies[index % cookies.length], accept: "text/event-stream" };
      const one = request({ host: "127.0.0.1", port: facts().panelPort, path: "/events/gateways/openclaw", headers, agent }, (answer) => {
        if (answer.statusCode !== 200) failed(new Error(`a stream was answered ${answer.statusCode}`));
        answer.setEncoding("utf8");
        answer.on("data", (text: string) => {
          if (text.includes("event: patch")) done();
          listen(index, text);
        });
      });
      // Destroyed at the end; before, a failure must be heard of.
      one.on("error", failed);
      one.end();
      asked.push(one);
    }),
  );
  await Promise.all(opened);
  return {
    saw: (text) =>
      new Promise((done) => {
        const at = new Map<number, number>();
        listen = (index, got) => {
          if (at.has(index) || !got.includes(text)) return;
          at.set(index, Date.now());
          if (at.size === count) done([...at.values()]);
        };
      }),
    close: () => {
      for (const one of asked) one.destroy();
      agent.destroy();
    },
  };
}
