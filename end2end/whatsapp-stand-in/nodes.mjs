// WhatsApp's nodes: {tag, attrs, content}.
import { randomInt } from "node:crypto";

export const SERVER = "s.whatsapp.net";

export const node = (tag, attrs = {}, content) => ({ tag, attrs, ...(content === undefined ? {} : { content }) });

export const child = (of, tag) => (Array.isArray(of?.content) ? of.content.find((one) => one.tag === tag) : undefined);

export const result = ({ id, to }, content) => node("iq", { from: to ?? SERVER, type: "result", id }, content);

export const stanzaId = () => String(randomInt(1e9, 4e9));

/** The errors that end a stream; 515 asks the client to connect again. */
export const streamError = (code, reason) =>
  node("stream:error", code ? { code } : {}, reason ? [node("conflict", { type: reason })] : undefined);
