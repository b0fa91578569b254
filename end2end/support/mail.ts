import { SMTPServer } from "smtp-server";
import { facts } from "./stack.ts";

export interface Mail {
  to: string[];
  text: string;
}

/** A mail server where the panel looks for one: every mail that it gets, and the first. */
export async function mailServer(): Promise<{ mails: Mail[]; received: Promise<Mail>; close: () => Promise<void> }> {
  const mails: Mail[] = [];
  let got: (mail: Mail) => void;
  const received = new Promise<Mail>((done) => {
    got = done;
  });
  const server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    onData: (stream, session, taken) => {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map((one) => one.address);
        const mail = { to, text: Buffer.concat(parts).toString() };
        mails.push(mail);
        got(mail);
        taken();
      });
    },
  });
  await new Promise<void>((done) => server.listen(facts().mailPort, "127.0.0.1", done));
  return { mails, received, close: () => new Promise((done) => server.close(() => done())) };
}
